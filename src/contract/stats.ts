import { z } from 'zod';
import { momentSchema } from './task-bodies.ts';

/** Task statistics over time. */

/** Maximum buckets of one request; each takes a few count queries in Temporal. */
export const MAX_BUCKETS = 60;

const count = z.int().min(0);

export const bucketSchema = z.object({
  from: momentSchema,
  until: momentSchema,
  created: count.describe('Tasks created in this period.'),
  done: count.describe('Tasks that ended in this period as done.'),
  failed: count.describe('Tasks that ended in this period as failed, exhausted or refused.'),
  canceled: count.describe('Tasks that ended in this period because someone stopped them.'),
  open: count.describe('Tasks that were open at the end of this period, or now.'),
});
export type Bucket = z.output<typeof bucketSchema>;

export const statsSchema = z.object({ buckets: z.array(bucketSchema) }).meta({
  id: 'Stats',
  description: 'Task counts over time, oldest period first; Temporal deletes ended tasks after its retention period.',
});
export type Stats = z.output<typeof statsSchema>;

/** Server information for the dashboard. */
export const serverInfoSchema = z
  .object({
    version: z.string().describe('Version of reembed.'),
    temporal: z.object({
      namespace: z.string(),
      uiUrl: z.string().nullable().describe("Address of Temporal's web UI, if there is one."),
    }),
  })
  .meta({ id: 'ServerInfo' });
export type ServerInfo = z.output<typeof serverInfoSchema>;
