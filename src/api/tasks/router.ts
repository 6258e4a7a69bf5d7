import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { Env } from 'hono';
import { z } from 'zod';
import { ReembedError } from '../../contract/errors.ts';
import { sourceOfFollower } from '../../contract/names.ts';
import { isStartable, TASK_TYPES } from '../../contract/task-types.ts';
import { failedItemsSchema, taskCountsSchema } from '../../contract/tasks.ts';
import { eachInTurn } from '../../cpu/pace.ts';
import { SharedReads } from '../../cpu/shared-reads.ts';
import { findSource } from '../../store/sources/rows.ts';
import { countFailed, listFailed } from '../../store/staging.ts';
import { countTasks, describeTask, getTracker, listTasks } from '../../temporal/index.ts';
import { roomForAnswer, sendJsonText } from '../body/memory.ts';
import { createRouter } from '../create-router.ts';
import { fromCursor, naming, toCursor } from '../cursor.ts';
import { sameOrigin } from '../middleware/same-origin.ts';
import { notFound, onError, problemResponses } from '../problems.ts';
import { requireRole } from './door.ts';
import { addEvaluation } from './evaluation.ts';
import { streamTask } from './events.ts';
import { addInput } from './input.ts';
import { createListStreams } from './list-events.ts';
import { addLiveWrites } from './live-writes.ts';
import type { TaskRouterOptions } from './options.ts';
import { addPlan } from './plan.ts';
import { addRun } from './post-run.ts';
import { addReads } from './reads.ts';
import { answer, createResponder, operationId } from './response.ts';
import { addRollBack } from './roll-back.ts';
import {
  eventsHeaders,
  failedItemsQuery,
  filterOf,
  filterQuery,
  listQuery,
  taskIdOf,
  taskIdQuery,
  typedFilterQuery,
  typedListQuery,
} from './schemas.ts';
import { addSteerResults } from './steer-results.ts';
import { addSteering } from './steering.ts';

const NEVER_ANSWERS = ['TemporalUnavailable'] as const;

/**
 * Creates the router of all tasks, or of those of one type: `GET /info`, `/list`, `/counts`, `/failed-items`,
 * `/events`, `PUT /restart`, `/cancel`, `/pause`, `/resume`, `/ignore`, for reindexes `/throttle`, `/reads`, `/approve`,
 * `/reject`, `GET` and `PUT /roll-back` and `POST /plan`, for `steer` `GET /results`, for all types together `GET
 * /evaluation`, `GET /input`, `GET /live-writes` and `GET /reads`, and for one type `POST /run`. It can be mounted in any Hono app, at any path; errors are answered as
 * `application/problem+json`. Pages of other sites are refused, and so are callers whose `auth` role is too low.
 *
 * @example
 * const app = new Hono();
 * app.route('/embeddings/tasks', createTaskRouter({ client, db, taskQueue: 'reembed', type: 'upsert' }));
 */
export function createTaskRouter<S extends z.ZodType = z.ZodType>(options: TaskRouterOptions<S>): OpenAPIHono {
  const { client, db, type } = options;
  const router = createRouter<Env>();
  router.onError(onError(options.log));
  router.notFound(notFound);
  router.use(
    sameOrigin(() => options.corsOrigins ?? []),
    requireRole(type),
  );
  const responder = createResponder(options.respond);
  const lists = new SharedReads<string>();
  const streamList = createListStreams(client, responder, options.heartbeatMs);
  const tags = [type === undefined ? 'tasks' : `tasks: ${type}`];
  const tracker = { description: 'The task.', content: { 'application/json': { schema: responder.trackerSchema } } };

  /** Returns the id that a call names; tasks of other types do not exist for this router. */
  const requireTask = async (query: { taskId?: string | undefined; task_id?: string | undefined }): Promise<string> => {
    const taskId = taskIdOf(query);
    if (type === undefined) return taskId;
    if ((await describeTask(client, taskId)).taskType === type) return taskId;
    throw new ReembedError('TaskNotFound', `there is no ${type} task ${taskId}`);
  };

  router.openapi(
    createRoute({
      method: 'get',
      path: '/info',
      operationId: operationId('get', type),
      tags,
      summary: 'The tracker of a task',
      request: { query: taskIdQuery },
      responses: { 200: tracker, ...problemResponses('InvalidInput', 'TaskNotFound', ...NEVER_ANSWERS) },
    }),
    async (c) => answer(c, responder.toBody(await getTracker(client, await requireTask(c.req.valid('query'))))),
  );

  router.openapi(
    createRoute({
      method: 'get',
      path: '/list',
      operationId: operationId('list', type),
      tags,
      summary: 'Tasks, newest first, each once however they change meanwhile',
      description:
        'With `Accept: text/event-stream` the page comes as a server-sent event named `tasks`, and again each time it has changed.',
      request: { query: type === undefined ? typedListQuery : listQuery },
      responses: {
        200: {
          description: 'One page, or events of it.',
          content: {
            'application/json': { schema: responder.listSchema },
            'text/event-stream': {
              schema: z.string(),
              example: 'event: tasks\ndata: {"tasks":[{"id":"rebuild-1", …}],"total":1,"cursor":null}\nretry: 2000\n\n',
            },
          },
        },
        ...problemResponses('InvalidInput', ...NEVER_ANSWERS),
      },
    }),
    async (c) => {
      const { offset, limit, cursor, ...filter } = c.req.valid('query') as z.output<typeof typedListQuery>;
      const page = { ...filterOf(filter, type), offset, limit, cursor };
      if (c.req.header('accept')?.includes('text/event-stream')) return (await naming(streamList(c, page))) as never;
      const read = async () => {
        const { tasks, ...list } = await listTasks(client, page);
        return JSON.stringify({ ...list, tasks: await eachInTurn(tasks, responder.rowToBody) });
      };
      await roomForAnswer(c.req.raw.signal);
      return sendJsonText(c, await naming(lists.read(JSON.stringify(page), read))) as never;
    },
  );

  router.openapi(
    createRoute({
      method: 'get',
      path: '/counts',
      operationId: operationId('count', type),
      tags,
      summary: 'How many tasks there are, and how many in each status',
      request: { query: type === undefined ? typedFilterQuery : filterQuery },
      responses: {
        200: { description: 'The counts.', content: { 'application/json': { schema: taskCountsSchema } } },
        ...problemResponses('InvalidInput', ...NEVER_ANSWERS),
      },
    }),
    async (c) => {
      const filter = c.req.valid('query') as z.output<typeof typedFilterQuery>;
      return c.json(await countTasks(client, filterOf(filter, type)), 200);
    },
  );

  addSteering(router, options as TaskRouterOptions, { tracker, responder, requireTask, tags });

  router.openapi(
    createRoute({
      method: 'get',
      path: '/failed-items',
      operationId: operationId('failed-items', type),
      tags,
      summary: 'What a task could not write, with the reasons',
      description:
        'In the order of the ids. `source~NAME` names what follows a source, with the rows that it could not bring.',
      request: { query: failedItemsQuery },
      responses: {
        200: { description: 'One page.', content: { 'application/json': { schema: failedItemsSchema } } },
        ...problemResponses('InvalidInput', 'TaskNotFound', 'DatabaseUnavailable', ...NEVER_ANSWERS),
      },
    }),
    async (c) => {
      const { limit, cursor, ...query } = c.req.valid('query');
      const after = fromCursor('failed-items', cursor);
      const taskId = await requireTask(query);
      const source = sourceOfFollower(taskId);
      const isFollower = source !== undefined && (await findSource(db, source)) !== undefined;
      if (type === undefined && !isFollower) await describeTask(client, taskId);
      const [items, total] = await Promise.all([listFailed(db, taskId, { after, limit }), countFailed(db, taskId)]);
      const last = items.length === limit ? items.at(-1) : undefined;
      const next = last ? toCursor('failed-items', last.objectId) : null;
      return c.json({ items, total, cursor: next }, 200);
    },
  );

  router.openapi(
    createRoute({
      method: 'get',
      path: '/events',
      operationId: operationId('events', type),
      tags,
      summary: 'The tracker as server-sent events, until the task has ended',
      description:
        'Each event is named `tracker`; its `data` is a tracker as JSON, its `id` the `updateTime` of that. When nothing happens, a comment comes every 15 seconds.',
      request: { query: taskIdQuery, headers: eventsHeaders },
      responses: {
        200: {
          description: 'Events named `tracker`.',
          content: {
            'text/event-stream': {
              schema: z.string(),
              example:
                'event: tracker\nid: 2026-01-31T12:00:00.000Z\ndata: {"id":"rebuild-1","status":"done", …}\nretry: 2000\n\n',
            },
          },
        },
        204: { description: 'The task has ended and `Last-Event-ID` is its last event.' },
        ...problemResponses('InvalidInput', 'TaskNotFound', ...NEVER_ANSWERS),
      },
    }),
    async (c) => {
      const taskId = await requireTask(c.req.valid('query'));
      return (await streamTask(c, client, taskId, responder, options.heartbeatMs)) as never;
    },
  );

  if (type === undefined || type === 'reindex')
    addRollBack(router, options as TaskRouterOptions, { requireTask, tags });
  if (type === undefined) addEvaluation(router, { db, client });
  if (type === undefined) addInput(router, client);
  if (type === undefined) addReads(router, { db, client });
  if (type === undefined) addLiveWrites(router, { db, client });
  if (type === 'reindex' && options.models) {
    const { background = db, settings } = options.plan ?? {};
    addPlan(router, { db: background, models: options.models, settings });
  }
  if (type === 'steer') addSteerResults(router, db, requireTask);
  if (type !== undefined && isStartable(type)) addRun(router, options, type, responder);
  return router;
}

/** Creates all of `/v1/tasks`: the router of all tasks, and below it one for each type. */
export function createTaskRouters(options: Omit<TaskRouterOptions, 'type'>): OpenAPIHono {
  const all = createTaskRouter(options);
  for (const type of TASK_TYPES) all.route(`/${type}`, createTaskRouter({ ...options, type }));
  return all;
}
