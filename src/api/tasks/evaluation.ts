import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { ReembedError } from '../../contract/errors.ts';
import { evaluationSchema } from '../../contract/evaluation.ts';
import type { Db } from '../../store/database.ts';
import { readReport } from '../../store/evaluations.ts';
import { describeTask } from '../../temporal/index.ts';
import { roomForAnswer, sendCounted } from '../body/memory.ts';
import { problemResponses } from '../problems.ts';
import { taskIdOf, taskIdQuery } from './schemas.ts';

/** Adds `GET /evaluation` to the router of all tasks. */
export function addEvaluation(router: OpenAPIHono, { db, client }: { db: Db; client: Client }): void {
  router.openapi(
    createRoute({
      method: 'get',
      path: '/evaluation',
      operationId: 'getEvaluation',
      tags: ['tasks'],
      summary: 'The report of the last evaluation of a task',
      description: 'It is kept as long as the task.',
      request: { query: taskIdQuery },
      responses: {
        200: { description: 'The report.', content: { 'application/json': { schema: evaluationSchema } } },
        ...problemResponses(
          'InvalidInput',
          'TaskNotFound',
          'EvaluationNotFound',
          'DatabaseUnavailable',
          'TemporalUnavailable',
        ),
      },
    }),
    async (c) => {
      const taskId = taskIdOf(c.req.valid('query'));
      await describeTask(client, taskId);
      await roomForAnswer(c.req.raw.signal);
      const report = await readReport(db, taskId);
      if (!report) throw new ReembedError('EvaluationNotFound', `the task ${taskId} has no evaluation, or not yet`);
      return sendCounted(c, report) as never;
    },
  );
}
