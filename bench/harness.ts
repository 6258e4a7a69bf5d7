import type { ParseArgsConfig } from 'node:util';
import { max, median, min } from 'simple-statistics';

/** What one run measured, by the name of the metric. */
export type Figures<Name extends string = string> = Record<Name, number>;

/** One of the two ways that are compared. */
export interface Contender<Name extends string = string> {
  name: string;
  /** One run, timed by itself; what it needs has been prepared before. */
  run(): Promise<Figures<Name>>;
}

export interface Metric<Name extends string = string> {
  name: Name;
  /** As shown: `writes/s`, `ms`. */
  unit: string;
  better: 'higher' | 'lower';
}

export interface Summary {
  median: number;
  min: number;
  max: number;
  /** Of each run, in order. */
  values: number[];
}

export interface ComparedMetric extends Metric {
  candidate: Summary;
  baseline: Summary;
  /** Median of the candidate over that of the baseline; null when the latter is 0. */
  ratio: number | null;
}

export interface Comparison {
  title: string;
  candidate: string;
  baseline: string;
  runs: number;
  metrics: ComparedMetric[];
}

export interface BenchContext {
  /** Counted runs of each contender. */
  runs: number;
  /** Of the benchmark's own options, as on the command line. */
  options: Record<string, string | boolean | undefined>;
  /** Tells of progress. */
  say: (line: string) => void;
}

/** Versions of the servers that took part, by name. */
export type Versions = Record<string, string>;

/** A benchmark by the name under which `npm run bench -- NAME` finds it. */
export interface Benchmark {
  /** One line for the help. */
  about: string;
  /** Its own options, as for `node:util` `parseArgs`. */
  options?: NonNullable<ParseArgsConfig['options']>;
  run(context: BenchContext): Promise<{ comparisons: Comparison[]; versions?: Versions }>;
}

/**
 * Runs both contenders: one warm-up each (unless `warmUp` is false), whose figures are dropped, and then pairs of runs. Within a pair they follow
 * each other at once, and who goes first alternates, so that a machine that gets slower or busier meets both alike.
 */
export async function compare<Name extends string>(
  plan: {
    title: string;
    metrics: readonly Metric<Name>[];
    candidate: Contender<Name>;
    baseline: Contender<Name>;
  },
  { runs, say, warmUp = true }: Pick<BenchContext, 'runs' | 'say'> & { warmUp?: boolean },
): Promise<Comparison> {
  const { title, metrics, candidate, baseline } = plan;
  const measured = new Map<Contender<Name>, Figures<Name>[]>([
    [candidate, []],
    [baseline, []],
  ]);
  for (let pair = warmUp ? 0 : 1; pair <= runs; pair++) {
    for (const contender of pair % 2 === 0 ? [candidate, baseline] : [baseline, candidate]) {
      const figures = await contender.run();
      const isWarmUp = pair === 0;
      if (!isWarmUp) measured.get(contender)?.push(figures);
      const told = metrics.map(({ name, unit }) => `${name} ${formatNumber(figures[name])} ${unit}`).join(', ');
      say(`${title}: ${isWarmUp ? 'warm-up' : `run ${pair}`} of ${contender.name}: ${told}`);
    }
  }
  const summary = (contender: Contender<Name>, name: Name) =>
    summarize((measured.get(contender) ?? []).map((figures) => figures[name]));
  return {
    title,
    candidate: candidate.name,
    baseline: baseline.name,
    runs,
    metrics: metrics.map((metric) => {
      const ours = summary(candidate, metric.name);
      const theirs = summary(baseline, metric.name);
      const ratio = theirs.median === 0 ? null : ours.median / theirs.median;
      return { ...metric, candidate: ours, baseline: theirs, ratio };
    }),
  };
}

function summarize(values: number[]): Summary {
  return { median: median(values), min: min(values), max: max(values), values };
}

/** Three digits that count. */
export function formatNumber(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
