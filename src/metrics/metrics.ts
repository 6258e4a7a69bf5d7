import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { METRICS, type MetricName, type MetricSpec } from '../contract/metrics.ts';
import { version } from '../version.ts';

type Instrument<S extends MetricSpec> = {
  counter: Counter<S['labels'][number]>;
  gauge: Gauge<S['labels'][number]>;
  histogram: Histogram<S['labels'][number]>;
}[S['type']];

/** The metrics of a process, by their name in the table. */
export type Metrics = { readonly [Name in MetricName]: Instrument<(typeof METRICS)[Name]> } & {
  /** All that this process shows; for metrics of one's own. */
  readonly registry: Registry;
  /** Calls back before each scrape, for what is as it is only then. */
  beforeScrape(refresh: () => void | Promise<void>): void;
  /** Shows the metrics of something else too, in the same text format. A source that fails shows nothing. */
  alsoShow(source: () => Promise<string>): void;
  /** Everything in the text format of Prometheus. */
  scrape(): Promise<string>;
};

const KINDS = { counter: Counter, gauge: Gauge, histogram: Histogram } as const;

/**
 * The metrics of one process, with those of Node. `parts` are what it runs: what the others would tell is not shown.
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

/** Keeps a label from taking any number of values: those past the first `most` are told together. */
export function bounded(most: number, rest = 'other'): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= most) return rest;
    known.add(value);
    return value;
  };
}
