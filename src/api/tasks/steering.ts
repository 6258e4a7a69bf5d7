import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { z } from 'zod';
import type { Decision } from '../../contract/approval.ts';
import { type ErrorType, invalidField } from '../../contract/errors.ts';
import type { ReadShares } from '../../contract/read-shares.ts';
import type { TaskType } from '../../contract/task-types.ts';
import type { Tracker } from '../../contract/tasks.ts';
import {
  cancelTask,
  decideTask,
  ignoreTask,
  pauseTask,
  restartTask,
  resumeTask,
  setTaskReads,
  throttleTask,
} from '../../temporal/index.ts';
import { problemResponses } from '../problems.ts';
import { callerOf } from './caller.ts';
import type { TaskRouterOptions } from './options.ts';
import { answer, operationId, type Responder } from './response.ts';
import { budgetQuery, readsQuery, reasonQuery, restartQuery, taskIdQuery, throttleQuery } from './schemas.ts';
import { setTaskBudget } from './set-budget.ts';

const SUMMARY_OF_READS =
  'Set the share of live searches that also, or instead, run on the index that a reindex builds or keeps current';

/** Context that the routes of one router share. */
interface Common {
  tracker: { description: string; content: { 'application/json': { schema: z.ZodType } } };
  responder: Responder;
  tags: string[];
  requireTask(query: z.output<typeof taskIdQuery>): Promise<string>;
}

/**
 * Adds `PUT /restart`, `/cancel`, `/pause`, `/resume`, `/ignore` and, if it has reindexes, `/throttle`, `/budget`,
 * `/reads`, `/approve` and `/reject`.
 */
export function addSteering(router: OpenAPIHono, options: TaskRouterOptions, common: Common): void {
  const { client, type, log } = options;
  const { tracker, responder, tags, requireTask } = common;

  const steer = <Q extends typeof taskIdQuery>(
    call: string,
    summary: string,
    query: Q,
    run: (taskId: string, query: z.output<Q>, who: { by: string | null }) => Promise<Tracker>,
    refusals: ErrorType[] = ['TaskClosed'],
  ) => {
    const errors = problemResponses('InvalidInput', 'TaskNotFound', ...refusals, 'TemporalUnavailable');
    router.openapi(
      createRoute({
        method: 'put',
        path: `/${call}`,
        operationId: operationId(call === 'reads' ? 'set-reads-of' : call, type),
        tags,
        summary,
        request: { query },
        responses: { 200: tracker, ...errors },
      }),
      async (c) => {
        const valid = c.req.valid('query' as never) as z.output<Q>;
        const taskId = await requireTask(valid);
        const by = callerOf(c, options);
        const after = await run(taskId, valid, { by });
        log?.info({ requestId: c.get('requestId' as never), by, call, taskId, status: after.status }, 'steered');
        return answer(c, responder.toBody(after));
      },
    );
  };

  steer('restart', 'Run a task again, or end its waiting', restartQuery, (id, { force, onlyFailed }, who) =>
    restartTask(client, id, { force, onlyFailed, ...who }),
  );
  steer(
    'cancel',
    'Cancel a task and wait until it has stopped; one that has ended stays as it is',
    reasonQuery,
    (id, { reason }, who) => cancelTask(client, id, reason, who),
    [],
  );
  steer('pause', 'Hold a task back until it is resumed', taskIdQuery, (id, _query, who) => pauseTask(client, id, who));
  steer('resume', 'Resume a paused task', taskIdQuery, (id, _query, who) => resumeTask(client, id, who));
  steer('ignore', 'Set a task aside: it is not run again unless forced', reasonQuery, (id, { reason }, who) =>
    ignoreTask(client, id, reason, who),
  );
  const readsTypes: readonly (TaskType | undefined)[] = [undefined, 'reindex', 'delete-index'];
  if (readsTypes.includes(type)) {
    steer('reads', SUMMARY_OF_READS, readsQuery, (id, { shadow, canary }, who) =>
      setTaskReads(client, id, sharesOf({ shadow, canary }), who),
    );
  }
  if (type !== undefined && type !== 'reindex') return;
  steer('throttle', 'Set how fast a reindex copies', throttleQuery, (id, { ratePerSecond }, who) =>
    throttleTask(client, id, ratePerSecond, who),
  );
  steer(
    'budget',
    'Set how much a reindex may use of its model; resumes one whose budget is used up',
    budgetQuery,
    (id, change, who) => setTaskBudget(options, id, change, who),
    ['TaskClosed', 'DatabaseUnavailable'],
  );
  const decide = (kind: Decision, summary: string) =>
    steer(kind, summary, reasonQuery, (id, { reason }, who) => decideTask(client, id, kind, reason, who), [
      'NotAwaitingApproval',
      'TaskClosed',
    ]);
  decide('approve', 'Switch the alias of a reindex that waits for an approval');
  decide('reject', 'End a reindex that waits for an approval, without a switch');
}

function sharesOf(given: { [Name in keyof ReadShares]?: number | undefined }): Partial<ReadShares> {
  const shares = Object.fromEntries(Object.entries(given).filter(([, share]) => share !== undefined));
  if (Object.keys(shares).length > 0) return shares;
  throw invalidField('query.shadow', 'needed: shadow, canary or both', 'neither shadow nor canary is given');
}
