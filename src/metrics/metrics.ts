import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { METRICS, type MetricName, type MetricSpec } from '../contract/metrics.ts';
import { version } from '../version.ts';

type Instrument<S extends MetricSpec> = {
  counter: Counter<S['labels'][number]>;
  gauge: Gauge<S['labels'][number]>;
  histogram: Histogram<S['labels'][number]>;
}[S['type']];

/** The metrics of a process, by their name in `METRICS`. */
export type Metrics = { readonly [Name in MetricName]: Instrument<(typeof METRICS)[Name]> } & {
  /** Everything that this process shows; add your own metrics here. */
  readonly registry: Registry;
  /** Calls `refresh` before each scrape, for values that are read on demand. */
  beforeScrape(refresh: () => void | Promise<void>): void;
  /** Adds metrics from another source in the same text format. A failing source shows nothing. */
  alsoShow(source: () => Promise<string>): void;
  /** Returns all metrics in the text format of Prometheus. */
  scrape(): Promise<string>;
};

const KINDS = { counter: Counter, gauge: Gauge, histogram: Histogram } as const;

/**
 * Creates the metrics of one process, including those of Node. `parts` says what it runs; metrics of other parts are
 * not shown.
 * @example
 * const metrics = createMetrics(['worker']);
 * metrics.taskAttempts.inc({ type: 'upsert' });
 */
export function createMetrics(parts: readonly ('api' | 'worker')[]): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const shown = new Set<MetricSpec['from']>([
    ...parts,
    'process',
    ...(parts.includes('api') ? ['state' as const] : []),
  ]);
  const instruments = Object.entries(METRICS as Record<string, MetricSpec>).map(([name, spec]) => {
    const { type, help, from, buckets } = spec;
    const labelNames = [...spec.labels];
    const registers = shown.has(from) ? [registry] : [];
    const Kind = KINDS[type] as new (options: object) => unknown;
    return [
      name,
      new Kind({ name: spec.name, help, labelNames, registers, ...(buckets && { buckets: [...buckets] }) }),
    ];
  });
  const refreshes: (() => void | Promise<void>)[] = [];
  const sources: (() => Promise<string>)[] = [];
  const metrics = {
    ...Object.fromEntries(instruments),
    registry,
    beforeScrape: (refresh) => void refreshes.push(refresh),
    alsoShow: (source) => void sources.push(source),
    async scrape() {
      const others = Promise.all(sources.map((source) => source().catch(() => '')));
      await Promise.all(refreshes.map((refresh) => refresh()));
      return [await registry.metrics(), ...(await others)].join('');
    },
  } as Metrics;
  metrics.build.set({ version }, 1);
  return metrics;
}

/** Limits the number of values of a label: after the first `most`, other values are counted together as `rest`. */
export function bounded(max: number, rest = 'other'): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= max) return rest;
    known.add(value);
    return value;
  };
}
