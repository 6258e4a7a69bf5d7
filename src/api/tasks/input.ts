import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { taskInputSchema } from '../../contract/tasks.ts';
import { readTaskInput } from '../../temporal/index.ts';
import { roomForAnswer, sendCounted } from '../body/memory.ts';
import { problemResponses } from '../problems.ts';
import { taskIdOf, taskIdQuery } from './schemas.ts';

/** Adds `GET /input` to the router of all tasks. */
export function addInput(router: OpenAPIHono, client: Client): void {
  router.openapi(
    createRoute({
      method: 'get',
      path: '/input',
      operationId: 'getTaskInput',
      tags: ['tasks'],
      summary: 'What a task was started with',
      request: { query: taskIdQuery },
      responses: {
        200: { description: 'The input.', content: { 'application/json': { schema: taskInputSchema } } },
        ...problemResponses('InvalidInput', 'TaskNotFound', 'TemporalUnavailable'),
      },
    }),
    async (c) => {
      const taskId = taskIdOf(c.req.valid('query'));
      await roomForAnswer(c.req.raw.signal);
      return sendCounted(c, { taskId, input: await readTaskInput(client, taskId) }) as never;
    },
  );
}
