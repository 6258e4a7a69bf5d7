import { type EvaluationReason, METRIC_NAMES, type Thresholds, type Verdict } from '../contract/evaluation.ts';
import { percentText } from '../contract/texts.ts';
import type { Interval } from './samples.ts';

/** What the verdict depends on. */
export interface Evidence {
  /** Queries with a relevant object. */
  judged: number;
  /** Mean difference, right minus left, of the measure that decides, with its confidence interval; null unjudged. */
  difference: { mean: number; interval: Interval } | null;
  /** Means of the right side; null without judgments. */
  right: { ndcg: number; recall: number; mrr: number } | null;
  overlap: number;
  rbo: number;
  /** Share of the queries that the right side answers with nothing although the left side finds something. */
  emptyShare: number;
  /** Recall of the HNSW index of the right side; null if it has none. */
  hnswRecall: number | null;
  /** p95 of the right side divided by that of the left side; null if unknown. */
  latencyRatio: number | null;
}

/**
 * Decides by the thresholds: `no-go` if any of them is violated, `go` if all are met and there is evidence that the
 * right side is good enough, otherwise `inconclusive`. Returns each reason with its value, the difference first.
 */
export function decide(evidence: Evidence, thresholds: Thresholds): { verdict: Verdict; reasons: EvaluationReason[] } {
  const reasons = [
    ...(evidence.difference ? [differenceOf(evidence.difference, evidence.judged, thresholds)] : []),
    ...checkLimits(evidence, thresholds),
  ];
  const isProof = ({ threshold }: EvaluationReason) => PROOFS.includes(threshold);
  if (!reasons.some(isProof)) {
    reasons.push({
      threshold: 'minGain',
      verdict: 'inconclusive',
      limit: thresholds.minGain,
      value: null,
      text: 'no query has a judgment, and neither minOverlap nor minRbo is given',
    });
  }
  const verdicts = reasons.map(({ verdict }) => verdict);
  const verdict = verdicts.includes('no-go') ? 'no-go' : verdicts.includes('inconclusive') ? 'inconclusive' : 'go';
  return { verdict, reasons };
}

/** Thresholds that say something about how good the results are; the others only exclude. */
const PROOFS: readonly string[] = ['minGain', 'minOverlap', 'minRbo', 'minNdcg', 'minRecall', 'minMrr'];

function checkLimits(evidence: Evidence, thresholds: Thresholds): EvaluationReason[] {
  const { right } = evidence;
  const rows = [
    judge('minNdcg', 'at least', thresholds.minNdcg, right?.ndcg, 'nDCG of the right side'),
    judge('minRecall', 'at least', thresholds.minRecall, right?.recall, 'recall of the right side'),
    judge('minMrr', 'at least', thresholds.minMrr, right?.mrr, 'MRR of the right side'),
    judge('minOverlap', 'at least', thresholds.minOverlap, evidence.overlap, 'overlap of both sides'),
    judge('minRbo', 'at least', thresholds.minRbo, evidence.rbo, 'rank-biased overlap of both sides'),
    judge(
      'minHnswRecall',
      'at least',
      thresholds.minHnswRecall,
      evidence.hnswRecall,
      'recall of the HNSW index of the right side',
    ),
    judge(
      'maxLatencyRatio',
      'at most',
      thresholds.maxLatencyRatio,
      evidence.latencyRatio,
      'p95 latency of right to left',
    ),
    judge(
      'maxEmptyShare',
      'at most',
      thresholds.maxEmptyShare,
      evidence.emptyShare,
      'share of queries that only the left answers',
    ),
  ];
  return rows.filter((row) => row !== null);
}

type Threshold = EvaluationReason['threshold'];

/** Judges one value; null if its limit is not set. */
function judge(
  threshold: Threshold,
  bound: 'at least' | 'at most',
  limit: number | undefined,
  value: number | null | undefined,
  what: string,
): EvaluationReason | null {
  if (limit === undefined) return null;
  if (value == null) {
    return { threshold, limit, value: null, verdict: 'inconclusive', text: `${what} could not be measured` };
  }
  const isMet = bound === 'at least' ? value >= limit : value <= limit;
  const text = `${what} is ${round(value)}, ${bound} ${limit} ${isMet ? 'is' : 'was'} required`;
  return { threshold, limit, value, verdict: isMet ? 'go' : 'no-go', text };
}

/** Judges the difference by its whole interval, so that chance decides nothing. */
function differenceOf(
  { mean, interval }: { mean: number; interval: Interval },
  judged: number,
  { metric, minGain, maxLoss, minQueries, confidence }: Thresholds,
): EvaluationReason {
  const what = `${METRIC_NAMES[metric]} differs by ${signed(mean)} (${percentText(confidence)}: ${signed(interval.low)} to ${signed(interval.high)})`;
  const row = { threshold: 'minGain' as const, limit: minGain, value: mean };
  if (judged < minQueries) {
    const text = `${what}; ${judged} judged queries are too few to decide, ${minQueries} are needed`;
    return { ...row, verdict: 'inconclusive', text };
  }
  if (interval.high < -maxLoss) {
    return {
      ...row,
      threshold: 'maxLoss',
      limit: maxLoss,
      verdict: 'no-go',
      text: `${what}: a loss of more than ${maxLoss}`,
    };
  }
  if (interval.low >= minGain) return { ...row, verdict: 'go', text: `${what}: at least ${minGain}` };
  return {
    ...row,
    verdict: 'inconclusive',
    text: `${what}: neither at least ${minGain} nor a loss of more than ${maxLoss} is certain`,
  };
}

const round = (value: number) => Math.round(value * 10_000) / 10_000;
const signed = (value: number) => `${value < 0 ? '' : '+'}${round(value)}`;
