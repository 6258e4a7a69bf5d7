import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { ReembedError } from '../contract/errors.ts';
import { flagQuery } from '../contract/http.ts';
import { nameSchema } from '../contract/indexes.ts';
import { type DeleteIndexBody, deleteIndexSchema, taskIdSchema } from '../contract/task-bodies.ts';
import { type Tracker, trackerSchema } from '../contract/tasks.ts';
import { listAliases } from '../store/aliases.ts';
import type { Db } from '../store/database.ts';
import { getIndex } from '../store/indexes.ts';
import { indexLocked, lockOnDest, lockOnSource } from '../store/protocol/locks.ts';
import { createRouter } from './create-router.ts';
import { problemResponses } from './problems.ts';

/** Starts a `delete-index` task, or returns the existing one with that id. */
export type StartDeleteIndex = (body: DeleteIndexBody) => Promise<Tracker>;

const deleteIndex = createRoute({
  method: 'delete',
  path: '/{index}',
  operationId: 'deleteIndex',
  tags: ['indexes'],
  summary: 'Delete an index, as a task',
  request: {
    params: z.object({ index: nameSchema.describe('Name of the index, not of an alias.') }),
    query: z.strictObject({
      force: flagQuery
        .optional()
        .describe('Delete it although an alias points to it, and the alias with it.')
        .meta({ examples: [false] }),
      taskId: taskIdSchema
        .optional()
        .describe('Names the task: the same id with the same input is the same task. Default: a random id.'),
    }),
  },
  responses: {
    202: { description: 'The task that deletes it.', content: { 'application/json': { schema: trackerSchema } } },
    ...problemResponses(
      'InvalidInput',
      'IndexNotFound',
      'IndexLocked',
      'IndexAliased',
      'TaskLocked',
      'TemporalUnavailable',
      'DatabaseUnavailable',
    ),
  },
});

export function createDeleteIndexRouter({ db, start }: { db: Db; start: StartDeleteIndex }) {
  return createRouter().openapi(deleteIndex, async (c) => {
    const { index } = c.req.valid('param');
    const { force = false, taskId } = c.req.valid('query');
    // If a task with this id exists, it is the answer, and the index may be gone.
    await requireDeletable(db, index, force).catch((error: unknown) => {
      if (taskId === undefined || !(error instanceof ReembedError) || error.type !== 'IndexNotFound') throw error;
    });
    return c.json(await start(deleteIndexSchema.parse({ index, force, taskId })), 202);
  });
}

/**
 * Refuses immediately what the task would refuse; the task checks again under the gates. Errors: `IndexNotFound`,
 * `IndexLocked`, `IndexAliased`.
 */
async function requireDeletable(db: Db, name: string, force: boolean): Promise<void> {
  const index = await getIndex(db, name);
  // A deletion that stopped halfway may be requested again.
  if (index.state === 'deleting') return;
  const lock = (await lockOnSource(db, index.no)) ?? (await lockOnDest(db, index.no));
  if (lock) throw indexLocked(name, lock);
  if (force) return;
  const alias = (await listAliases(db)).find((pair) => pair.index === name);
  if (alias) {
    const message = `the alias ${alias.alias} points to ${name}: move it first, or ask with force=true`;
    throw new ReembedError('IndexAliased', message);
  }
}
