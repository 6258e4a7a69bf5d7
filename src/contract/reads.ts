import { z } from 'zod';
import { SHARE_RANGE } from './read-shares.ts';

const shareSchema = z.number({ error: SHARE_RANGE }).min(0, SHARE_RANGE).max(1, SHARE_RANGE);

/** Fields of a reindex. */
export const readFields = {
  shadow: shareSchema
    .optional()
    .describe(
      'Share of the searches of the alias, from 0 to 1, that also run on the new index while the reindex waits for an ' +
        'approval, after their answer; after the switch, on the old index for as long as it is kept current. The figures ' +
        'are at `GET /v1/tasks/reads`.',
    ),
  canary: shareSchema
    .optional()
    .describe(
      'Share of the searches of the alias, from 0 to 1, that the new index answers while the reindex waits for an approval.',
    ),
};

const sideSchema = z.object({
  index: z.string().describe('Name of the index.'),
  searches: z.int().describe('Searches that it answered.'),
  failed: z.int().describe('Searches that failed.'),
  empty: z.int().describe('Answers without any hit.'),
  p50Ms: z.number().nullable().describe('Median latency, with the call of the model; null without searches.'),
  p95Ms: z.number().nullable(),
});
export type ReadSide = z.output<typeof sideSchema>;

export const readsSchema = z
  .object({
    taskId: z.string(),
    alias: z.string().describe('Only searches by this name are taken.'),
    since: z.string().describe('Since when searches are taken.'),
    until: z.string().nullable().describe('When they were last counted, if they have ended; null while they run.'),
    shadow: z.object({
      share: z.number(),
      overlap: z
        .number()
        .nullable()
        .describe('Share of the hits that both indexes return, in any order, on average; null without searches.'),
      serving: sideSchema.describe('The answers that callers got.'),
      other: sideSchema,
      dropped: z.int().describe('Searches that were left out because too many were waiting.'),
    }),
    canary: z.object({
      share: z.number(),
      serving: sideSchema.describe('The other searches by the alias while there is a canary.'),
      other: sideSchema.describe('A search that failed here was answered by the serving index.'),
    }),
    skipped: z
      .int()
      .describe('Searches by a vector, which means nothing to the other index because its model is another one.'),
  })
  .meta({ id: 'Reads' });
export type ReadsReport = z.output<typeof readsSchema>;
