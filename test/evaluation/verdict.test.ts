import { describe, expect, test } from 'vitest';
import { thresholdsSchema } from '../../src/contract/evaluation.ts';
import { decide, type Evidence } from '../../src/evaluation/verdict.ts';

const EVIDENCE: Evidence = {
  judged: 100,
  difference: { mean: 0.05, interval: { low: 0.02, high: 0.08 } },
  right: { ndcg: 0.6, recall: 0.7, mrr: 0.5 },
  overlap: 0.4,
  rbo: 0.3,
  emptyShare: 0,
  hnswRecall: 0.98,
  latencyRatio: 1.1,
};
const UNJUDGED: Evidence = { ...EVIDENCE, judged: 0, difference: null, right: null };
const between = (low: number, high: number): Partial<Evidence> => ({
  difference: { mean: (low + high) / 2, interval: { low, high } },
});

const rows: [
  title: string,
  evidence: Evidence,
  thresholds: Parameters<typeof thresholdsSchema.parse>[0],
  verdict: string,
][] = [
  ['a certain gain', EVIDENCE, {}, 'go'],
  ['no difference at all', { ...EVIDENCE, ...between(0, 0) }, {}, 'go'],
  ['a certain loss', { ...EVIDENCE, ...between(-0.08, -0.02) }, {}, 'no-go'],
  ['a difference that may be chance', { ...EVIDENCE, ...between(-0.02, 0.06) }, {}, 'inconclusive'],
  ['a small loss that is allowed', { ...EVIDENCE, ...between(-0.04, 0.01) }, { minGain: -0.05 }, 'go'],
  ['a loss beyond what is allowed', { ...EVIDENCE, ...between(-0.2, -0.06) }, { minGain: -0.05 }, 'no-go'],
  ['a gain that may be too small', EVIDENCE, { minGain: 0.04 }, 'inconclusive'],
  ['too few queries', { ...EVIDENCE, judged: 9 }, {}, 'inconclusive'],
  ['a few queries that are enough', { ...EVIDENCE, judged: 9 }, { minQueries: 9 }, 'go'],
  ['a low nDCG', EVIDENCE, { minNdcg: 0.61 }, 'no-go'],
  ['a low recall', EVIDENCE, { minRecall: 0.71 }, 'no-go'],
  ['a low MRR', EVIDENCE, { minMrr: 0.51 }, 'no-go'],
  ['a low overlap', EVIDENCE, { minOverlap: 0.5 }, 'no-go'],
  ['a low recall of the HNSW index', EVIDENCE, { minHnswRecall: 0.99 }, 'no-go'],
  ['no HNSW index', { ...EVIDENCE, hnswRecall: null }, { minHnswRecall: 0.9 }, 'inconclusive'],
  ['a high latency', EVIDENCE, { maxLatencyRatio: 1 }, 'no-go'],
  ['empty results', { ...EVIDENCE, emptyShare: 0.01 }, {}, 'no-go'],
  ['empty results that are allowed', { ...EVIDENCE, emptyShare: 0.01 }, { maxEmptyShare: 0.02 }, 'go'],
  ['no judgments and no threshold', UNJUDGED, {}, 'inconclusive'],
  ['no judgments and only a limit of the latency', UNJUDGED, { maxLatencyRatio: 2 }, 'inconclusive'],
  ['no judgments and enough overlap', UNJUDGED, { minOverlap: 0.4 }, 'go'],
  ['no judgments and too little overlap', UNJUDGED, { minRbo: 0.31 }, 'no-go'],
  ['a violated limit beside a certain gain', EVIDENCE, { maxLatencyRatio: 1 }, 'no-go'],
];

describe('the verdict', () => {
  test.each(rows)('on %s follows the thresholds', (_title, evidence, thresholds, verdict) => {
    const decided = decide(evidence, thresholdsSchema.parse(thresholds));
    expect(decided.verdict).toBe(verdict);
    // The reasons explain it.
    if (verdict !== 'go') expect(decided.reasons.some((reason) => reason.verdict === verdict)).toBe(true);
    else expect(decided.reasons.every((reason) => reason.verdict === 'go')).toBe(true);
    for (const { text } of decided.reasons) expect(text).not.toBe('');
  });
});

describe('thresholds', () => {
  test('by which a difference would be a gain and a loss at once are refused by field', () => {
    const parsed = thresholdsSchema.safeParse({ minGain: -0.05, maxLoss: 0.02 });
    expect(parsed.error?.issues).toMatchObject([
      { path: ['maxLoss'], message: expect.stringContaining('at least 0.05') },
    ]);
    expect(thresholdsSchema.safeParse({ minGain: -0.05, maxLoss: 0.05 }).success).toBe(true);
  });

  test('allow as a loss what they accept as a gain, unless they say otherwise', () => {
    expect(thresholdsSchema.parse({})).toMatchObject({ minGain: 0, maxLoss: 0 });
    expect(thresholdsSchema.parse({ minGain: -0.05 }).maxLoss).toBe(0.05);
    expect(thresholdsSchema.parse({ minGain: 0.05 }).maxLoss).toBe(0);
  });
});
