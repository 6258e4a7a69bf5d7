import type { ParseArgsConfig } from 'node:util';
import { max, median, min } from 'simple-statistics';

/** Results of one run, by the name of the metric. */
export type Figures<Name extends string = string> = Record<Name, number>;

/** One of the two ways to compare. */
export interface Contender<Name extends string = string> {
  name: string;
  /** Makes one run, which measures its own time; preparations are done before. */
  run(): Promise<Figures<Name>>;
}

export interface Metric<Name extends string = string> {
  name: Name;
  /** As displayed: `writes/s`, `ms`. */
  unit: string;
  better: 'higher' | 'lower';
}

export interface Summary {
  median: number;
  min: number;
  max: number;
  /** One value per run, in order. */
  values: number[];
}

export interface ComparedMetric extends Metric {
  candidate: Summary;
  baseline: Summary;
  /** Median of the candidate divided by that of the baseline; null if the latter is 0. */
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
  /** Counted runs per contender. */
  runs: number;
  /** The benchmark's own options, as on the command line. */
  options: Record<string, string | boolean | undefined>;
  /** Reports progress. */
  say: (line: string) => void;
}

/** Versions of the servers involved, by name. */
export type Versions = Record<string, string>;

/** A benchmark, registered under the name for `npm run bench -- NAME`. */
export interface Benchmark {
  /** One line for the help. */
  about: string;
  /** Its own options, in the format of `parseArgs` of `node:util`. */
  options?: NonNullable<ParseArgsConfig['options']>;
  run(context: BenchContext): Promise<{ comparisons: Comparison[]; versions?: Versions }>;
}

/**
 * Runs both contenders: one warm-up each (unless `warmUp` is false), whose figures are dropped, then pairs of runs. The
 * two runs of a pair follow each other immediately and their order alternates, so that a machine that gets slower or
 * busier affects both alike.
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

/** Formats a number with three significant digits. */
export function formatNumber(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
