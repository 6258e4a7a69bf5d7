import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { z } from 'zod';
import { auditSchema } from '../../contract/audit.ts';
import { ReembedError } from '../../contract/errors.ts';
import { NDJSON } from '../../contract/http.ts';
import { vectorIndexTaskSchema } from '../../contract/index-patch.ts';
import { namedJobRunSchema } from '../../contract/jobs.ts';
import { steerSchema } from '../../contract/steer-tasks.ts';
import { syncSchema } from '../../contract/sync-body.ts';
import { deleteIndexSchema, evaluateSchema, reindexSchema } from '../../contract/task-bodies.ts';
import { factsOf, type StartableType } from '../../contract/task-types.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { TaskInputs } from '../../contract/workflow-inputs.ts';
import { readItems } from '../body/items.ts';
import { parseInput, readJson } from '../body/json.ts';
import { formOf } from '../body/media.ts';
import { letGoOfBody } from '../body/memory.ts';
import { namesOf } from '../create-router.ts';
import { checkParameters } from '../parameters.ts';
import { inPlace } from '../places/of-task.ts';
import { problemResponses } from '../problems.ts';
import { noteTask } from '../request-task.ts';
import { acceptItems } from './accept-items.ts';
import { acceptJob } from './accept-job.ts';
import { acceptLines } from './accept-lines.ts';
import {
  type AcceptOptions,
  acceptAudit,
  acceptDeleteIndex,
  acceptEvaluate,
  acceptPlain,
  acceptReindex,
  acceptSteer,
  acceptSync,
  acceptVectorIndex,
} from './accept-task.ts';
import { endOfRun, RUN_LOCATION } from './await-end.ts';
import { callerOf } from './caller.ts';
import type { AcceptDependencies, CallerOptions } from './options.ts';
import { answer, operationId, type Responder } from './response.ts';
import { givenTaskId, linesQuery, runHeaders, runQuery, upsertLinesQuery } from './schemas.ts';

/** The queries that are sent with items as NDJSON. */
const LINES: Partial<Record<StartableType, z.ZodObject>> = { upsert: upsertLinesQuery, delete: linesQuery };

/** Adds `POST /run` to the router of a type: accepts a task and answers 202, or 200 at its end with `wait=true`. */
export function addRun(
  router: OpenAPIHono,
  deps: AcceptDependencies & CallerOptions,
  type: StartableType,
  responder: Responder,
): void {
  const { body: schema, title, items, errors = [] } = factsOf(type);
  const query = LINES[type];
  const tracker = { 'application/json': { schema: responder.trackerSchema } };
  // Registered apart from its handler: the media type decides how the body is read, and NDJSON is never read whole.
  router.openAPIRegistry.registerPath({
    method: 'post',
    path: '/run',
    operationId: operationId('run', type),
    tags: [`tasks: ${type}`],
    summary: title,
    request: {
      query: query ? query.partial({ index: true }) : runQuery,
      headers: runHeaders,
      body: {
        required: true,
        content: {
          'application/json': { schema: schema as z.ZodType },
          ...(items && {
            [NDJSON]: {
              schema: {
                type: 'string' as const,
                description: 'One item per line, of any length; `index` and the other fields are in the query.',
              },
              example: items.example,
            },
          }),
        },
      },
    },
    responses: {
      200: {
        description: 'With `wait=true`: the task has ended, however it did.',
        content: tracker,
        headers: RUN_LOCATION,
      },
      202: { description: 'Accepted; with `wait=true`: not ended in time.', content: tracker, headers: RUN_LOCATION },
      ...problemResponses(
        'InvalidInput',
        ...errors,
        'TaskLocked',
        'TooLarge',
        'UnsupportedMedia',
        'TemporalUnavailable',
      ),
    },
  });
  router.post('/run', async (c) => {
    const { accepted, wait, timeout } = await accept(c, deps, type);
    noteTask(c, accepted.id);
    const view = await endOfRun(deps.client, accepted, { waitSeconds: wait ? timeout : 0, signal: c.req.raw.signal });
    const at = `${c.req.path.replace(/run$/, 'info')}?taskId=${encodeURIComponent(accepted.id)}`;
    return answer(c, responder.toBody(view.tracker), view.ended ? 200 : 202, { location: at });
  });
}

type Query = z.output<typeof runQuery>;

async function accept(
  c: Context,
  deps: AcceptDependencies & CallerOptions,
  type: StartableType,
): Promise<Query & { accepted: Tracker }> {
  const form = formOf(c, factsOf(type).items ? ['json', 'lines'] : ['json']);
  const header = parseInput(runHeaders, { 'Ignore-Lock': c.req.header('ignore-lock') }, ['header'])['Ignore-Lock'];
  const ignoreLock = (query: Query) => query.ignoreLock ?? header === 'true';
  if (form === 'lines' && (type === 'upsert' || type === 'delete')) {
    const query = parseQuery(type === 'upsert' ? upsertLinesQuery : linesQuery, c);
    const options = { ...query, taskId: givenTaskId(query) };
    const by = callerOf(c, deps);
    try {
      const here = await inPlace(c, deps, type, { index: options.index });
      const accepted = await acceptLines(here, type, options, c.req.raw.body, { ignoreLock: ignoreLock(query), by });
      return { ...query, accepted };
    } catch (error) {
      if (!c.req.raw.signal.aborted) throw error;
      throw new ReembedError('InvalidInput', 'the client went away before the end of the body', { cause: error });
    }
  }
  const query = parseQuery(runQuery, c);
  const accepted = await acceptJson(c, deps, type, { ignoreLock: ignoreLock(query) });
  // The wait for its task may be long.
  letGoOfBody(c);
  return { ...query, accepted };
}

type AcceptJson = (c: Context, deps: AcceptDependencies & CallerOptions, options: AcceptOptions) => Promise<Tracker>;

/** Accepts a body that is checked against the database of what it names. */
function checked<T extends StartableType, B extends Partial<TaskInputs[T]>>(
  type: T,
  schema: z.ZodType<B>,
  accept: (deps: AcceptDependencies, body: B, options: AcceptOptions) => Promise<Tracker>,
): AcceptJson {
  return async (c, deps, options) => {
    const body = await readJson(c, schema);
    return accept(await inPlace(c, deps, type, body), body, options);
  };
}

/** Acceptance of the types for which a body is not only checked. */
const ACCEPT_JSON: Partial<Record<StartableType, AcceptJson>> = {
  async upsert(c, deps, options) {
    const body = await readItems(c, 'upsert');
    const here = await inPlace(c, deps, 'upsert', { index: body.index });
    return acceptItems(here, { type: 'upsert', body }, { ...options, by: callerOf(c, deps) });
  },
  async delete(c, deps, options) {
    const body = await readItems(c, 'delete');
    const here = await inPlace(c, deps, 'delete', { index: body.index });
    return acceptItems(here, { type: 'delete', body }, { ...options, by: callerOf(c, deps) });
  },
  async reindex(c, deps, options) {
    const body = await readJson(c, reindexSchema);
    return acceptReindex(await inPlace(c, deps, 'reindex', body), body, { ...options, by: callerOf(c, deps) });
  },
  evaluate: checked('evaluate', evaluateSchema, acceptEvaluate),
  audit: checked('audit', auditSchema, acceptAudit),
  'vector-index': checked('vector-index', vectorIndexTaskSchema, acceptVectorIndex),
  sync: checked('sync', syncSchema, acceptSync),
  'delete-index': checked('delete-index', deleteIndexSchema, acceptDeleteIndex),
  async job(c, deps, options) {
    const { name, ...job } = await readJson(c, namedJobRunSchema, { anyText: 'input' });
    return acceptJob(deps, name, job, options);
  },
  steer: async (c, deps, options) =>
    acceptSteer(deps, await readJson(c, steerSchema), { ...options, by: callerOf(c, deps) }),
};

async function acceptJson(
  c: Context,
  deps: AcceptDependencies & CallerOptions,
  type: StartableType,
  options: AcceptOptions,
): Promise<Tracker> {
  const accept = ACCEPT_JSON[type];
  if (accept) return accept(c, deps, options);
  const body = await readJson(c, factsOf(type).body as z.ZodType<TaskInputs[StartableType]>);
  return acceptPlain(deps, type, body, options);
}

function parseQuery<S extends z.ZodObject>(schema: S, c: Context): z.output<S> {
  checkParameters(c, namesOf(schema));
  return parseInput(schema, c.req.query(), ['query']) as z.output<S>;
}
