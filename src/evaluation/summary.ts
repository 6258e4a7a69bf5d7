import type { Agreement, Compared, EvaluationGroup, EvaluationMetric, Scores } from '../contract/evaluation.ts';
import { type Grades, isJudged, scoresAt } from './judged.ts';
import { bootstrapInterval, countBySign, mean, quantile } from './samples.ts';
import { overlapAt, rankBiasedOverlap, rankDisplacement } from './unjudged.ts';

/** What one side found for one query. */
export interface SideResult {
  /** Ids of the objects, best first. */
  ids: readonly string[];
  isUnknown: boolean;
  exactMs: number | null;
  hnsw: readonly { efSearch: number; ms: number; found: number }[];
}

export interface QueryResult {
  seq: number;
  grades: Grades;
  /** Value of the field of the breakdown as JSON; null without it. */
  group: string | null;
  left: SideResult;
  right: SideResult;
}

/** The measures of one query; `scores` are null without a relevant object. */
interface Measured {
  seq: number;
  group: string | null;
  scores: { left: Scores; right: Scores } | null;
  agreement: Agreement;
  isLost: boolean;
}

export interface SideSummary {
  empty: number;
  unknownWords: number;
  exact: { p50Ms: number | null; p95Ms: number | null };
  hnsw: { efSearch: number; isDefault: boolean; recall: number | null; p50Ms: number | null; p95Ms: number | null }[];
}

export interface Options {
  k: number;
  metric: EvaluationMetric;
  confidence: number;
  seed: number;
  breathe?: (() => Promise<void>) | undefined;
}

/** Most groups of a breakdown; the largest ones. */
const MAX_GROUPS = 50;

/** Computes the measures of the queries one by one, and keeps only numbers, so that memory stays small. */
export class Summary {
  private readonly options: Options;
  private readonly measured: Measured[] = [];
  private readonly sides = { left: new Side(), right: new Side() };

  constructor(options: Options) {
    this.options = options;
  }

  add({ seq, grades, group, left, right }: QueryResult): void {
    const { k } = this.options;
    const scoresOf = ({ ids }: SideResult) => scoresAt(ids, grades, k);
    this.measured.push({
      seq,
      group,
      scores: isJudged(grades) ? { left: scoresOf(left), right: scoresOf(right) } : null,
      agreement: {
        overlap: overlapAt(left.ids, right.ids, k),
        rbo: rankBiasedOverlap(left.ids.slice(0, k), right.ids.slice(0, k)),
        displacement: rankDisplacement(left.ids, right.ids, k),
      },
      isLost: left.ids.length > 0 && right.ids.length === 0,
    });
    this.sides.left.add(left);
    this.sides.right.add(right);
  }

  get queries(): number {
    return this.measured.length;
  }

  get judged(): number {
    return countJudged(this.measured);
  }

  /** Share of the queries that only the left side answers. */
  get emptyShare(): number {
    return this.queries === 0 ? 0 : this.measured.filter(({ isLost }) => isLost).length / this.queries;
  }

  side(side: 'left' | 'right'): SideSummary {
    return this.sides[side].summary();
  }

  scores(side: 'left' | 'right'): Scores | null {
    return meanScores(this.measured, side);
  }

  get agreement(): Agreement {
    return meanAgreement(this.measured);
  }

  /** Returns the difference of a measure, right minus left, with its interval; null without judgments. */
  difference(metric: EvaluationMetric): Promise<Compared | null> {
    return this.compare(this.measured, metric);
  }

  /** Returns the numbers of the queries that change most, the greatest change first. */
  changed(max: number): { seq: number; change: number }[] {
    const { metric } = this.options;
    const changes = this.measured.map(({ seq, scores, agreement }) => ({
      seq,
      change: scores ? scores.right[metric] - scores.left[metric] : 1 - agreement.rbo,
      rbo: agreement.rbo,
    }));
    return changes
      .filter(({ change, rbo }) => Math.abs(change) > 1e-9 || rbo < 1 - 1e-9)
      .sort((a, b) => Math.abs(b.change) - Math.abs(a.change) || a.rbo - b.rbo || a.seq - b.seq)
      .slice(0, max)
      .map(({ seq, change }) => ({ seq, change }));
  }

  /** Returns the measures by group, the largest groups first, and how many groups are left out. */
  async breakdown(): Promise<{ groups: EvaluationGroup[]; omitted: number }> {
    const byValue = new Map<string | null, Measured[]>();
    for (const query of this.measured) {
      const there = byValue.get(query.group);
      if (there) there.push(query);
      else byValue.set(query.group, [query]);
    }
    const sorted = [...byValue].sort(
      ([a, left], [b, right]) => right.length - left.length || (String(a) < String(b) ? -1 : 1),
    );
    const groups: EvaluationGroup[] = [];
    for (const [value, measured] of sorted.slice(0, MAX_GROUPS)) {
      groups.push({
        value,
        queries: measured.length,
        judged: countJudged(measured),
        left: meanScores(measured, 'left'),
        right: meanScores(measured, 'right'),
        difference: await this.compare(measured, this.options.metric),
        agreement: meanAgreement(measured),
      });
    }
    return { groups, omitted: Math.max(0, sorted.length - MAX_GROUPS) };
  }

  private async compare(measured: readonly Measured[], metric: EvaluationMetric): Promise<Compared | null> {
    const { confidence, seed, breathe } = this.options;
    const differences = measured.flatMap(({ scores }) => (scores ? [scores.right[metric] - scores.left[metric]] : []));
    const interval = await bootstrapInterval(differences, { confidence, seed, ...(breathe && { breathe }) });
    return interval && { mean: mean(differences), ...interval, ...countBySign(differences) };
  }
}

function countJudged(measured: readonly Measured[]): number {
  return measured.filter(({ scores }) => scores !== null).length;
}

function meanScores(measured: readonly Measured[], side: 'left' | 'right'): Scores | null {
  const scores = measured.flatMap((query) => (query.scores ? [query.scores[side]] : []));
  if (scores.length === 0) return null;
  const of = (metric: EvaluationMetric) => mean(scores.map((one) => one[metric]));
  return { ndcg: of('ndcg'), recall: of('recall'), mrr: of('mrr') };
}

function meanAgreement(measured: readonly Measured[]): Agreement {
  const of = (measure: keyof Agreement) => mean(measured.map(({ agreement }) => agreement[measure]));
  return { overlap: of('overlap'), rbo: of('rbo'), displacement: of('displacement') };
}

/** Counts and times of one side. */
class Side {
  private empty = 0;
  private unknownWords = 0;
  private readonly exactMs: number[] = [];
  private readonly byEfSearch = new Map<number, { ms: number[]; found: number; wanted: number }>();

  add({ ids, isUnknown, exactMs, hnsw }: SideResult): void {
    if (ids.length === 0) this.empty++;
    if (isUnknown) this.unknownWords++;
    if (exactMs !== null) this.exactMs.push(exactMs);
    for (const { efSearch, ms, found } of hnsw) {
      const seen = this.byEfSearch.get(efSearch) ?? { ms: [], found: 0, wanted: 0 };
      this.byEfSearch.set(efSearch, seen);
      seen.ms.push(ms);
      seen.found += found;
      seen.wanted += ids.length;
    }
  }

  summary(): SideSummary {
    return {
      empty: this.empty,
      unknownWords: this.unknownWords,
      exact: latency(this.exactMs),
      // Searches use the value that was measured first.
      hnsw: [...this.byEfSearch].map(([efSearch, { ms, found, wanted }], at) => ({
        efSearch,
        isDefault: at === 0,
        recall: wanted === 0 ? null : found / wanted,
        ...latency(ms),
      })),
    };
  }
}

function latency(ms: readonly number[]): { p50Ms: number | null; p95Ms: number | null } {
  const rounded = (value: number | null) => value && Math.round(value * 100) / 100;
  return { p50Ms: rounded(quantile(ms, 0.5)), p95Ms: rounded(quantile(ms, 0.95)) };
}
