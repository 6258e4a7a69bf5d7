import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import type { z } from 'zod';
import { type ErrorType, invalidField, ReembedError } from '../../contract/errors.ts';
import { ROLL_BACK_REFUSALS, type RollBack, rollBackSchema } from '../../contract/roll-back.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { Db } from '../../store/database.ts';
import { findIndex } from '../../store/indexes.ts';
import { type FoundRollBack, findRollBack } from '../../store/protocol/roll-back.ts';
import { askRollBack, readTask } from '../../temporal/index.ts';
import { problemResponses } from '../problems.ts';
import { callerOf } from './caller.ts';
import type { TaskRouterOptions } from './options.ts';
import { operationId } from './response.ts';
import { rollBackQuery, taskIdQuery } from './schemas.ts';

interface Common {
  tags: string[];
  requireTask(query: z.output<typeof taskIdQuery>): Promise<string>;
}

const CALL = 'roll-back';
const LOOK_ERRORS: ErrorType[] = ['InvalidInput', 'TaskNotFound', 'RollBackRefused', 'DatabaseUnavailable'];

/** Adds `GET` and `PUT /roll-back` to a router that has reindexes. */
export function addRollBack(router: OpenAPIHono, options: TaskRouterOptions, { tags, requireTask }: Common): void {
  const { client, db, type, log } = options;
  const answer = { description: 'The two indexes.', content: { 'application/json': { schema: rollBackSchema } } };

  router.openapi(
    createRoute({
      method: 'get',
      path: `/${CALL}`,
      operationId: operationId('get-roll-back-of', type),
      tags,
      summary: 'What a roll back of a reindex would do, and what was written since its switch',
      request: { query: taskIdQuery },
      responses: { 200: answer, ...problemResponses(...LOOK_ERRORS, 'TemporalUnavailable') },
    }),
    async (c) => c.json(shown(await find(client, db, await requireTask(c.req.valid('query')))), 200),
  );

  router.openapi(
    createRoute({
      method: 'put',
      path: `/${CALL}`,
      operationId: operationId(CALL, type),
      tags,
      summary: 'Let the old index of a reindex serve again, or the new one',
      description:
        'For a reindex whose old index is kept current. The last writes are copied to it, writers are held back for ' +
        'some seconds at most, and the aliases move in one step. From then on the other index is kept current, for as ' +
        'long as the old one would have been, and neither is deleted. `to` names the new index to roll forward again. ' +
        'A repeated call changes nothing.',
      request: { query: rollBackQuery },
      responses: { 200: answer, ...problemResponses(...LOOK_ERRORS, 'NotCurrent', 'NoWorker', 'TemporalUnavailable') },
    }),
    async (c) => {
      const { to, reason = null, ...query } = c.req.valid('query');
      const taskId = await requireTask(query);
      const found = await find(client, db, taskId);
      const target = to ?? found.source;
      const toNo = numberOf(found, target);
      const by = callerOf(c, options);
      if (target !== found.from) {
        await askRollBack(client, found.keeperId, { toNo, by, reason });
        log?.info({ requestId: c.get('requestId' as never), by, call: CALL, taskId, to: target }, 'steered');
      }
      return c.json(shown(await find(client, db, taskId)), 200);
    },
  );
}

interface Found extends FoundRollBack {
  taskId: string;
  keeperId: string;
  /** The index that the reindex replaced. */
  source: string;
}

const shown = ({ pair: _pair, source: _source, ...rollBack }: Found): RollBack => rollBack;

function numberOf({ from, to, pair }: Found, target: string): number {
  if (target === to) return pair.destNo;
  if (target === from) return pair.sourceNo;
  throw invalidField('query.to', `must be ${to} or ${from}`, `to: ${target} is neither ${to} nor ${from}`);
}

async function find(client: Client, db: Db, taskId: string): Promise<Found> {
  const { tracker } = await readTask(client, taskId);
  const { type, status, parentId, data } = tracker;
  if (type !== 'reindex') {
    const name = type === 'delete-index' && parentId !== null ? `: name its reindex, ${parentId}` : '';
    throw invalidField(
      'query.taskId',
      'must be a reindex',
      `${taskId} is a task of type ${type}, not a reindex${name}`,
    );
  }
  if (status !== 'done') {
    throw refused('notSwitched', 'must be a reindex that is done', `the reindex ${taskId} is ${status}, not done`);
  }
  const { retireTask: keeperId, source } = data;
  const found = typeof keeperId === 'string' ? await findRollBack(db, keeperId) : undefined;
  if (!found) throw await notKeptCurrent(db, tracker);
  return { ...found, taskId, keeperId: keeperId as string, source: String(source) };
}

/** Creates the error that names the way back: a reindex in the other direction. */
async function notKeptCurrent(db: Db, { id, data }: Tracker): Promise<ReembedError> {
  const [source, dest] = [String(data.source), String(data.dest)];
  const serves = typeof data.alias === 'string' ? data.alias : dest;
  const exists = (await findIndex(db, source)) !== undefined;
  const why = exists ? `${source} and ${dest} are not kept current, or not any more` : `${source} was deleted`;
  const way = exists ? '' : ', with the model of that index';
  return refused(
    'notKeptCurrent',
    'must be a reindex whose old index is kept current',
    `${id} cannot be rolled back: ${why}. Reindex in the other direction${way}: reembed reindex ${serves} ${source}`,
  );
}

function refused(reason: keyof typeof ROLL_BACK_REFUSALS, expected: string, message: string): ReembedError {
  return new ReembedError('RollBackRefused', message, {
    reason: ROLL_BACK_REFUSALS[reason],
    issues: [{ path: 'query.taskId', message: expected }],
  });
}
