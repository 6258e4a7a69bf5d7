import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { steerResultsSchema } from '../../contract/steer-tasks.ts';
import type { Db } from '../../store/database.ts';
import { countOutcomes, listSteerResults } from '../../store/steer-results.ts';
import { fromCursor, toCursor } from '../cursor.ts';
import { problemResponses } from '../problems.ts';
import { failedItemsQuery } from './schemas.ts';

/** Adds `GET /results` to the router of steering tasks; `requireTask` returns the id that a call names. */
export function addSteerResults(
  router: OpenAPIHono,
  db: Db,
  requireTask: (query: { taskId?: string; task_id?: string }) => Promise<string>,
): void {
  router.openapi(
    createRoute({
      method: 'get',
      path: '/results',
      operationId: 'steerResults',
      tags: ['tasks: steer'],
      summary: 'What a steering task did to each task, or would do',
      description: 'In the order of the ids.',
      request: { query: failedItemsQuery },
      responses: {
        200: { description: 'One page.', content: { 'application/json': { schema: steerResultsSchema } } },
        ...problemResponses('InvalidInput', 'TaskNotFound', 'DatabaseUnavailable', 'TemporalUnavailable'),
      },
    }),
    async (c) => {
      const { limit, cursor, ...query } = c.req.valid('query');
      const after = fromCursor('results', cursor);
      const taskId = await requireTask(query);
      const [results, { total }] = await Promise.all([
        listSteerResults(db, taskId, { after, limit }),
        countOutcomes(db, taskId),
      ]);
      const last = results.length === limit ? results.at(-1) : undefined;
      return c.json({ results, total, cursor: last ? toCursor('results', last.taskId) : null }, 200);
    },
  );
}
