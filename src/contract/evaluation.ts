import { z } from 'zod';
import { nameSchema } from './indexes.ts';
import { LIMITS } from './limits.ts';
import { maxMissingSchema, missingSchema } from './query-sets.ts';

/** Evaluation: runs a query set on two indexes and compares what they find. */

export const EVALUATION_METRICS = ['ndcg', 'recall', 'mrr'] as const;
const metricSchema = z.enum(EVALUATION_METRICS);
export type EvaluationMetric = z.output<typeof metricSchema>;

export const METRIC_NAMES: Readonly<Record<EvaluationMetric, string>> = { ndcg: 'nDCG', recall: 'recall', mrr: 'MRR' };

const share = () => z.number().min(0).max(1);

/** Conditions of the verdict. */
export const thresholdsSchema = z
  .strictObject({
    metric: metricSchema
      .default('ndcg')
      .describe('The measure whose difference, right minus left, decides if the set has judgments.'),
    minGain: z
      .number()
      .min(-1)
      .max(1)
      .default(0)
      .describe('`go` needs a confidence interval of the difference that begins here or above; may be negative.'),
    maxLoss: share()
      .optional()
      .describe(
        '`no-go` if the confidence interval of the difference ends below minus this. Default: 0, or `-minGain` if that is more.',
      ),
    confidence: z.number().min(0.5).max(0.999).default(0.95).describe('Confidence of that interval.'),
    minQueries: z
      .int()
      .min(1)
      .max(LIMITS.queriesPerSet)
      .default(10)
      .describe('With fewer judged queries than this, the difference is inconclusive.'),
    minNdcg: share().optional().describe('Minimum mean nDCG of the right side.'),
    minRecall: share().optional().describe('Minimum mean recall of the right side.'),
    minMrr: share().optional().describe('Minimum MRR of the right side.'),
    minOverlap: share().optional().describe('Minimum mean overlap of both sides.'),
    minRbo: share().optional().describe('Minimum mean rank-biased overlap of both sides.'),
    minHnswRecall: share()
      .optional()
      .describe('Minimum recall of the HNSW index of the right side, without `efSearch`.'),
    maxLatencyRatio: z
      .number()
      .positive()
      .max(1_000)
      .optional()
      .describe('Maximum p95 latency of the right side, divided by that of the left side.'),
    maxEmptyShare: share()
      .default(0)
      .describe('Maximum share of queries that the left side answers and the right side does not.'),
  })
  .transform(({ maxLoss, ...rest }) => ({ ...rest, maxLoss: maxLoss ?? Math.max(0, -rest.minGain) }))
  .superRefine(({ minGain, maxLoss }, ctx) => {
    if (minGain >= -maxLoss) return;
    ctx.addIssue({
      code: 'custom',
      path: ['maxLoss'],
      message: `must be at least ${-minGain}: a difference below ${-maxLoss} would be a loss, and one from ${minGain} on a gain`,
    });
  });
export type Thresholds = z.output<typeof thresholdsSchema>;

/** Settings of an evaluation, also of one that is a step of another task. */
export const evaluationSettings = {
  querySet: nameSchema.describe('Name of the query set.'),
  k: z.int().min(1).max(LIMITS.evaluationDepth).default(10).describe('Places of each result that count.'),
  thresholds: thresholdsSchema.prefault({}),
  efSearch: z
    .array(z.int().min(1).max(1_000))
    .max(5)
    .default([])
    .describe('Further values of `hnsw.ef_search` to measure; without them, only the value that searches use.'),
  breakdown: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Top-level metadata field of the queries by which the scores are broken down, such as `lang`.'),
  maxMissing: maxMissingSchema,
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(1)
    .describe('Seed of the bootstrap: the same seed and results give the same interval.'),
};

/** An evaluation with everything decided; an alias is resolved when it begins. */
export interface EvaluationRequest {
  left: string;
  right: string;
  querySet: string;
  k: number;
  thresholds: Thresholds;
  efSearch: number[];
  breakdown?: string | undefined;
  maxMissing: number;
  seed: number;
  /** It is a step of a reindex, whose usage and budget count the calls of the right model. */
  isStep?: boolean | undefined;
}

export const verdictSchema = z
  .enum(['go', 'no-go', 'inconclusive'])
  .describe('Whether the right side may replace the left side.');
export type Verdict = z.output<typeof verdictSchema>;

export const evaluationReasonSchema = z.object({
  threshold: z.enum([
    'minGain',
    'maxLoss',
    'minNdcg',
    'minRecall',
    'minMrr',
    'minOverlap',
    'minRbo',
    'minHnswRecall',
    'maxLatencyRatio',
    'maxEmptyShare',
  ]),
  verdict: verdictSchema,
  limit: z.number(),
  value: z.number().nullable().describe('Null if it could not be measured.'),
  text: z.string(),
});
export type EvaluationReason = z.output<typeof evaluationReasonSchema>;

const scoresSchema = z.object({ ndcg: z.number(), recall: z.number(), mrr: z.number() });
export type Scores = z.output<typeof scoresSchema>;

const latencySchema = z.object({ p50Ms: z.number().nullable(), p95Ms: z.number().nullable() });

const sideSchema = z.object({
  index: z.string(),
  model: z.string(),
  objects: z.int(),
  scores: scoresSchema.nullable().describe('Means over the judged queries, by exact search; null without judgments.'),
  empty: z.int().describe('Queries without a result.'),
  unknownWords: z.int().describe('Queries of which the model knows no word.'),
  exact: latencySchema.describe(
    'Latency of exact search in ms, without the model. With many objects it is measured with some of the queries.',
  ),
  hnsw: z
    .array(
      latencySchema.extend({
        efSearch: z.int(),
        isDefault: z.boolean().describe('True for the value that searches with `limit` = `k` use.'),
        recall: z.number().nullable().describe('Share of the exact results that the HNSW index finds.'),
      }),
    )
    .describe('Empty without an HNSW index.'),
  missing: missingSchema,
});
export type EvaluationSide = z.output<typeof sideSchema>;

const comparedSchema = z.object({
  mean: z.number().describe('Right minus left.'),
  low: z.number(),
  high: z.number(),
  better: z.int().describe('Queries for which the right side is better.'),
  equal: z.int(),
  worse: z.int(),
});
export type Compared = z.output<typeof comparedSchema>;

const agreementSchema = z.object({
  overlap: z.number().describe('Mean share of the first k objects that both sides have.'),
  rbo: z.number().describe('Mean extrapolated rank-biased overlap with persistence 0.9.'),
  displacement: z.number().describe('Mean number of places by which an object moves.'),
});
export type Agreement = z.output<typeof agreementSchema>;

const resultSchema = z.object({
  id: z.string(),
  grade: z.int().nullable().describe('Null without a judgment.'),
  text: z.string().describe('The beginning of the object.'),
});

const changedQuerySchema = z.object({
  id: z.string(),
  text: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  change: z.number().describe('Difference of the deciding measure; without judgments, 1 minus the RBO.'),
  left: z.object({ scores: scoresSchema.nullable(), results: z.array(resultSchema) }),
  right: z.object({ scores: scoresSchema.nullable(), results: z.array(resultSchema) }),
});
export type ChangedQuery = z.output<typeof changedQuerySchema>;

const groupSchema = z.object({
  value: z.string().nullable().describe('Value of the field as JSON; null for queries without it.'),
  queries: z.int(),
  judged: z.int(),
  left: scoresSchema.nullable(),
  right: scoresSchema.nullable(),
  difference: comparedSchema.nullable().describe('Of the deciding measure.'),
  agreement: agreementSchema,
});
export type EvaluationGroup = z.output<typeof groupSchema>;

export const evaluationSchema = z
  .object({
    taskId: z.string(),
    querySet: z.string(),
    k: z.int(),
    verdict: verdictSchema,
    reasons: z.array(evaluationReasonSchema),
    thresholds: z.record(z.string(), z.union([z.string(), z.number()])),
    queries: z.int(),
    judged: z.int().describe('Queries with at least one relevant object.'),
    left: sideSchema,
    right: sideSchema,
    differences: z
      .object({ ndcg: comparedSchema, recall: comparedSchema, mrr: comparedSchema })
      .nullable()
      .describe('With the paired bootstrap interval; null without judgments.'),
    agreement: agreementSchema.describe('How similar the results of both sides are, whether judged or not.'),
    breakdown: z
      .object({ field: z.string(), groups: z.array(groupSchema), omitted: z.int().describe('Groups left out.') })
      .nullable(),
    changed: z.array(changedQuerySchema).describe('The queries that change most.'),
    createTime: z.iso.datetime(),
  })
  .meta({
    id: 'Evaluation',
    description: 'What the queries of a set find on two indexes, and whether the right one may replace the left one.',
  });
export type Evaluation = z.output<typeof evaluationSchema>;
