import { z } from 'zod';
import { LIMITS } from './limits.ts';

export const objectEventSchema = z.object({
  time: z.string(),
  kind: z
    .enum(['written', 'unchanged', 'deleted', 'failed'])
    .describe(
      '`unchanged`: a newer version with the same content, which was not embedded again. `failed`: see `reason`; a write that failed leaves what was stored, and a copy that failed has no vectors.',
    ),
  version: z.int().nullable(),
  copied: z.boolean().describe('True: copied or forwarded by a reindex, with the version of its source.'),
  copiedFrom: z.string().nullable().describe('The index that it was copied from; null if it is gone.'),
  taskId: z.string().nullable().describe('The task that wrote it, or that copied it.'),
  by: z.string().nullable().describe('Name of the API token that started the write; null if there was none.'),
  reason: z
    .string()
    .nullable()
    .describe('Why: the code of a failure, or `original-deleted` for what was deleted with its original.'),
});
export type ObjectEvent = z.output<typeof objectEventSchema>;

export const objectHistorySchema = z
  .object({
    index: z.string(),
    id: z.string(),
    model: z
      .object({ provider: z.string(), name: z.string(), dimensions: z.int() })
      .describe('The model that made the vectors: that of the index.'),
    events: z.array(objectEventSchema).describe(`Newest first, at most ${LIMITS.historyPerObject}.`),
  })
  .meta({ id: 'ObjectHistory' });
export type ObjectHistory = z.output<typeof objectHistorySchema>;
