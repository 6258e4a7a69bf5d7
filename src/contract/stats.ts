import { z } from 'zod';
import { momentSchema } from './tasks.ts';

/** Tasks over time. */

/** Each stretch costs a few counts in Temporal. */
export const MOST_BUCKETS = 60;

const count = z.int().min(0);

export const bucketSchema = z.object({
  from: momentSchema,
  until: momentSchema,
  created: count.describe('Tasks created in this stretch of time.'),
  done: count.describe('Tasks that ended in it as done.'),
  failed: count.describe('Tasks that ended in it as failed, exhausted or refused.'),
  canceled: count.describe('Tasks that ended in it because someone stopped them.'),
  open: count.describe('Tasks that had begun and not ended at its end, or now.'),
});
export type Bucket = z.output<typeof bucketSchema>;

export const statsSchema = z.object({ buckets: z.array(bucketSchema) }).meta({
  id: 'Stats',
  description: 'Tasks over time, oldest stretch first; Temporal forgets tasks that ended before its retention.',
});
export type Stats = z.output<typeof statsSchema>;

/** What a page for people needs to know of the server. */
export const serverInfoSchema = z
  .object({
    version: z.string().describe('Of reembed.'),
    temporal: z.object({
      namespace: z.string(),
      uiUrl: z.string().nullable().describe("Address of Temporal's web UI, if there is one."),
    }),
  })
  .meta({ id: 'ServerInfo' });
export type ServerInfo = z.output<typeof serverInfoSchema>;
