import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { ReembedError } from '../../contract/errors.ts';
import { readsSchema } from '../../contract/reads.ts';
import type { Db } from '../../store/database.ts';
import { getReadCounts } from '../../store/read-counts.ts';
import { describeTask } from '../../temporal/index.ts';
import { problemResponses } from '../problems.ts';
import { toReport } from '../reads/figures.ts';
import { taskIdOf, taskIdQuery } from './schemas.ts';

/** Adds `GET /reads` to the router of all tasks. */
export function addReads(router: OpenAPIHono, { db, client }: { db: Db; client: Client }): void {
  router.openapi(
    createRoute({
      method: 'get',
      path: '/reads',
      operationId: 'getReads',
      tags: ['tasks'],
      summary: 'The figures of the shadow and canary reads of a task',
      description:
        'Of all processes, some seconds old at most, and kept as long as the task. Those of a shadow after the switch are at the task that deletes the old index.',
      request: { query: taskIdQuery },
      responses: {
        200: { description: 'The figures.', content: { 'application/json': { schema: readsSchema } } },
        ...problemResponses(
          'InvalidInput',
          'TaskNotFound',
          'ReadsNotFound',
          'DatabaseUnavailable',
          'TemporalUnavailable',
        ),
      },
    }),
    async (c) => {
      const taskId = taskIdOf(c.req.valid('query'));
      await describeTask(client, taskId);
      const counts = await getReadCounts(db, taskId);
      if (counts) return c.json(toReport(taskId, counts), 200);
      throw new ReembedError('ReadsNotFound', `the task ${taskId} has no shadow or canary reads, or not yet`);
    },
  );
}
