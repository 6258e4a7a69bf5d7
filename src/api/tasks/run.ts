import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { z } from 'zod';
import type { StartableType } from '../../client/temporal/index.ts';
import { deleteBody, deleteIndexBody, NDJSON, reindexBody, steerBody, upsertBody } from '../../contract/bodies.ts';
import { namedJobRunBody } from '../../contract/bodies-of-jobs.ts';
import { type ErrorType, ReembedError } from '../../contract/errors.ts';
import { namedJobRunSchema } from '../../contract/jobs.ts';
import { steerSchema } from '../../contract/steer-tasks.ts';
import { deleteIndexSchema, reindexSchema, type Tracker } from '../../contract/tasks.ts';
import { readItems } from '../body/items.ts';
import { parseInput, readJson } from '../body/json.ts';
import { formOf } from '../body/media.ts';
import { checkParameters } from '../parameters.ts';
import { problemResponses } from '../problems.ts';
import { namesOf } from '../router.ts';
import { noteTask } from '../task-of.ts';
import {
  type AcceptDependencies,
  type AcceptOptions,
  acceptDeleteIndex,
  acceptItems,
  acceptReindex,
  acceptSteer,
} from './accept.ts';
import { acceptJob } from './accept-job.ts';
import { acceptLines } from './accept-lines.ts';
import { type CallerOptions, callerOf } from './caller.ts';
import { endOfRun, RUN_LOCATION } from './end-of-run.ts';
import { answer, operationId, type Responder } from './response.ts';
import { linesQuery, runHeaders, runQuery, upsertLinesQuery } from './schemas.ts';

interface Run {
  schema: z.ZodType;
  summary: string;
  /** Of a type that takes NDJSON too: the query beside it, and what such a body looks like. */
  lines?: { query: z.ZodObject; example: string };
  /** What else than bad input and another task of the id can be wrong. */
  errors: ErrorType[];
}

const RUNS: Record<StartableType, Run> = {
  upsert: {
    schema: upsertBody,
    summary: 'Embed objects and write them to an index',
    lines: {
      query: upsertLinesQuery,
      example: '{"id":"a","payload":"a lion sleeps"}\n{"id":"b","payload":"a ship at sea"}\n',
    },
    errors: ['IndexNotFound', 'IndexDeleting', 'DatabaseUnavailable'],
  },
  delete: {
    schema: deleteBody,
    summary: 'Delete objects from an index',
    lines: { query: linesQuery, example: '"a"\n{"id":"b"}\n' },
    errors: ['IndexNotFound', 'IndexDeleting', 'DatabaseUnavailable'],
  },
  reindex: {
    schema: reindexBody,
    summary: 'Rebuild an index, with another model or settings, while writes go on',
    errors: ['IndexNotFound', 'DatabaseUnavailable'],
  },
  'delete-index': {
    schema: deleteIndexBody,
    summary: 'Delete an index, now or later',
    errors: ['IndexNotFound', 'DatabaseUnavailable'],
  },
  job: { schema: namedJobRunBody, summary: 'Run a job by its name', errors: ['JobUnknown'] },
  steer: { schema: steerBody, summary: 'Cancel, restart, pause, resume or ignore many tasks at once', errors: [] },
};

/** Adds `POST /run` to the router of a type: accepts a task and answers 202, or with `wait=true` 200 at its end. */
export function addRun(
  router: OpenAPIHono,
  deps: AcceptDependencies & CallerOptions,
  type: StartableType,
  responder: Responder,
): void {
  const { schema, summary, lines, errors } = RUNS[type];
  const tracker = { 'application/json': { schema: responder.trackerSchema } };
  // Registered apart from its handler: the body is read by its media type, and never as a whole when it is of lines.
  router.openAPIRegistry.registerPath({
    method: 'post',
    path: '/run',
    operationId: operationId('run', type),
    tags: [`tasks: ${type}`],
    summary,
    request: {
      query: lines ? lines.query.partial({ index: true }) : runQuery,
      headers: runHeaders,
      body: {
        required: true,
        content: {
          'application/json': { schema },
          ...(lines && {
            [NDJSON]: {
              schema: {
                type: 'string' as const,
                description: 'One item per line, of any length; `index` and the other fields are in the query.',
              },
              example: lines.example,
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
  const form = formOf(c, type === 'upsert' || type === 'delete' ? ['json', 'lines'] : ['json']);
  const header = parseInput(runHeaders, { 'Ignore-Lock': c.req.header('ignore-lock') }, ['header'])['Ignore-Lock'];
  const ignoreLock = (query: Query) => query.ignoreLock ?? header === 'true';
  if (form === 'lines' && (type === 'upsert' || type === 'delete')) {
    const query = parseQuery(type === 'upsert' ? upsertLinesQuery : linesQuery, c);
    const options = { ...query, taskId: query.taskId ?? query.task_id };
    try {
      const accepted = await acceptLines(deps, type, options, c.req.raw.body, { ignoreLock: ignoreLock(query) });
      return { ...query, accepted };
    } catch (error) {
      if (!c.req.raw.signal.aborted) throw error;
      throw new ReembedError('InvalidInput', 'the client went away before the end of the body', { cause: error });
    }
  }
  const query = parseQuery(runQuery, c);
  return { ...query, accepted: await acceptJson(c, deps, type, { ignoreLock: ignoreLock(query) }) };
}

async function acceptJson(
  c: Context,
  deps: AcceptDependencies & CallerOptions,
  type: StartableType,
  options: AcceptOptions,
): Promise<Tracker> {
  switch (type) {
    case 'upsert':
      return acceptItems(deps, { type, body: await readItems(c, type) }, options);
    case 'delete':
      return acceptItems(deps, { type, body: await readItems(c, type) }, options);
    case 'reindex':
      return acceptReindex(deps, await readJson(c, reindexSchema), options);
    case 'delete-index':
      return acceptDeleteIndex(deps, await readJson(c, deleteIndexSchema), options);
    case 'job': {
      const { name, ...job } = await readJson(c, namedJobRunSchema, { anyText: 'input' });
      return acceptJob(deps, name, job, options);
    }
    case 'steer':
      return acceptSteer(deps, await readJson(c, steerSchema), { ...options, by: callerOf(c, deps) });
  }
}

function parseQuery<S extends z.ZodObject>(schema: S, c: Context): z.output<S> {
  checkParameters(c, namesOf(schema));
  return parseInput(schema, c.req.query(), ['query']) as z.output<S>;
}
