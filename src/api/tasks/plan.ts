import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import pLimit from 'p-limit';
import { planReindexSchema, reindexPlanSchema } from '../../contract/plan.ts';
import { type PlanDependencies, planReindex } from '../../plan/plan-reindex.ts';
import { jsonBody } from '../body/json.ts';
import { checkModel } from '../check-model.ts';
import { namedBy } from '../places/pass-on.ts';
import { problemResponses } from '../problems.ts';

/** Max plans that one process makes at a time; others wait. */
const PLANS_AT_ONCE = 2;

/** Adds `POST /plan` to the router of reindexes. */
export function addPlan(router: OpenAPIHono, deps: PlanDependencies): void {
  const turns = pLimit(PLANS_AT_ONCE);
  router.openapi(
    createRoute({
      method: 'post',
      path: '/plan',
      middleware: jsonBody({ placedBy: ({ source, dest }) => ({ named: namedBy('index', { source, dest }) }) }),
      operationId: 'planReindex',
      tags: ['tasks: reindex'],
      summary: 'What a reindex would do and cost; starts nothing',
      description:
        'The body is that of `POST /run`. Counts, reads and splits a sample of the source, and makes a few calls of the ' +
        'model, unless `probe` is false. Every figure says whether it is exact, sampled or estimated, and from what. ' +
        'What would prevent the reindex is listed in `obstacles`.',
      request: { body: { required: true, content: { 'application/json': { schema: planReindexSchema } } } },
      responses: {
        200: { description: 'The plan.', content: { 'application/json': { schema: reindexPlanSchema } } },
        ...problemResponses('InvalidInput', 'IndexNotFound', 'TooLarge', 'UnsupportedMedia', 'DatabaseUnavailable'),
      },
    }),
    async (c) => {
      const body = c.req.valid('json');
      if (body.destModel) checkModel(deps.models, body.destModel, 'destModel');
      const { signal } = c.req.raw;
      const plan = await turns(() => {
        signal.throwIfAborted();
        return planReindex(deps, body, signal);
      });
      return c.json(plan, 200);
    },
  );
}
