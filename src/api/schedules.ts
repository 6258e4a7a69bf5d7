import { createRoute } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { countQuery } from '../contract/http.ts';
import { jobNameSchema } from '../contract/jobs.ts';
import { LIMITS } from '../contract/limits.ts';
import { scheduleRequestSchema } from '../contract/schedule-request.ts';
import {
  overlapSchema,
  scheduleKeySchema,
  scheduleListSchema,
  scheduleNextSchema,
  scheduleRunSchema,
  scheduleSchema,
} from '../contract/schedules.ts';
import { checkScheduledByName } from '../jobs/lookup.ts';
import type { Registry } from '../jobs/types.ts';
import { listSchedules } from '../temporal/schedules/list.ts';
import { runSchedule, scheduleTimes } from '../temporal/schedules/runs.ts';
import {
  getSchedule,
  pauseSchedule,
  putSchedule,
  removeSchedule,
  resumeSchedule,
} from '../temporal/schedules/schedules.ts';
import { jsonBody } from './body/json.ts';
import { createRouter } from './create-router.ts';
import { naming } from './cursor.ts';
import { placeOfTask } from './places/of-task.ts';
import { problemResponses } from './problems.ts';
import { cursorQuery } from './tasks/schemas.ts';

export interface ScheduleRouterDependencies {
  client: Client;
  /** Task queue of the workflows. */
  taskQueue: string;
  /** Known jobs; without it any name, input and options are accepted, and the worker checks them. */
  registry?: Registry | undefined;
}

const params = z.object({
  name: jobNameSchema.describe('Name of the job; for an audit or a sync, any name.'),
  key: scheduleKeySchema.describe('Tells the schedules of one job apart; `default` where there is one only.'),
});
const tags = ['schedules'];
const NOT_THERE = ['InvalidInput', 'ScheduleNotFound', 'TemporalUnavailable'] as const;
const json = <S extends z.ZodType>(description: string, schema: S) => ({
  description,
  content: { 'application/json': { schema } },
});

const getAll = createRoute({
  method: 'get',
  path: '/',
  operationId: 'listSchedules',
  tags,
  summary: 'List schedules, newest first',
  request: {
    query: z.strictObject({
      name: jobNameSchema.optional().describe('Only those of this job.'),
      limit: countQuery(LIMITS.listLimit, 50).describe('Most schedules in the answer.'),
      cursor: cursorQuery,
    }),
  },
  responses: { 200: json('One page.', scheduleListSchema), ...problemResponses('InvalidInput', 'TemporalUnavailable') },
});

const getOne = createRoute({
  method: 'get',
  path: '/{name}/{key}',
  operationId: 'getSchedule',
  tags,
  summary: 'A schedule, with its next times and last runs',
  request: { params },
  responses: { 200: json('The schedule.', scheduleSchema), ...problemResponses(...NOT_THERE) },
});

const put = createRoute({
  method: 'put',
  path: '/{name}/{key}',
  middleware: jsonBody({ anyText: 'input' }),
  operationId: 'putSchedule',
  tags,
  summary: 'Make the schedule of a job and a key, or change it',
  description:
    'Each run is the job of this name, or with `type` an audit or a sync, whose body is `input`. Whether the index or the source of a task exists is looked at by each run. With several databases, each run is in the database that has it when the schedule is made or changed.',
  request: { params, body: { required: true, content: { 'application/json': { schema: scheduleRequestSchema } } } },
  responses: {
    200: json('There was one: it is as asked for now, or as it was with `ifExists` `keep`.', scheduleSchema),
    201: json('Made.', scheduleSchema),
    ...problemResponses('InvalidInput', 'JobUnknown', 'ScheduleExists', 'TooLarge', 'TemporalUnavailable'),
  },
});

const steer = (verb: 'pause' | 'resume', summary: string) =>
  createRoute({
    method: 'put',
    path: `/{name}/{key}/${verb}`,
    operationId: `${verb}Schedule`,
    tags,
    summary,
    request: {
      params,
      query: z.strictObject({
        note: z
          .string()
          .max(1_000)
          .optional()
          .describe('Kept with it.')
          .meta({ examples: ['too often'] }),
      }),
    },
    responses: { 200: json('The schedule after it.', scheduleSchema), ...problemResponses(...NOT_THERE) },
  });
const pause = steer('pause', 'Start nothing any more until it is resumed');
const resume = steer('resume', 'Continue with the next time');

const run = createRoute({
  method: 'post',
  path: '/{name}/{key}/run',
  operationId: 'runSchedule',
  tags,
  summary: 'Run it once more, now',
  request: {
    params,
    query: z.strictObject({
      overlap: overlapSchema
        .optional()
        .describe('If not given, its own policy.')
        .meta({ examples: ['skip'] }),
    }),
  },
  responses: { 202: json('What came of it.', scheduleRunSchema), ...problemResponses(...NOT_THERE) },
});

const WEEK_MS = 7 * 86_400_000;
const time = z.iso.datetime({ offset: true }).optional();

const getTimes = createRoute({
  method: 'get',
  path: '/{name}/{key}/times',
  operationId: 'scheduleTimes',
  tags,
  summary: 'When it is due in a stretch of time: 1,000 times at most',
  request: {
    params,
    query: z.strictObject({
      from: time.describe('Default: now.').meta({ examples: ['2030-01-01T00:00:00Z'] }),
      until: time.describe('Default: a week after `from`.').meta({ examples: ['2030-01-08T00:00:00Z'] }),
    }),
  },
  responses: { 200: json('In order, with jitter.', scheduleNextSchema), ...problemResponses(...NOT_THERE) },
});

const remove = createRoute({
  method: 'delete',
  path: '/{name}/{key}',
  operationId: 'deleteSchedule',
  tags,
  summary: 'Remove a schedule; runs that it has started continue',
  request: { params },
  responses: { 204: { description: 'It is gone.' }, ...problemResponses(...NOT_THERE) },
});

export function createScheduleRouter({ client, taskQueue, registry }: ScheduleRouterDependencies) {
  const of = (signature: { name: string; key: string }) => ({ taskQueue, ...signature });
  return createRouter()
    .openapi(getAll, async (c) =>
      c.json(await naming(listSchedules(client, { taskQueue, ...c.req.valid('query') })), 200),
    )
    .openapi(getOne, async (c) => c.json(await getSchedule(client, of(c.req.valid('param'))), 200))
    .openapi(put, async (c) => {
      const signature = of(c.req.valid('param'));
      const request = c.req.valid('json');
      const { type, options } = request;
      // The input of a task was checked with the body.
      const isJob = type === 'job';
      const input = isJob
        ? await checkScheduledByName(registry, signature.name, request.input, options)
        : request.input;
      const place = isJob ? undefined : await placeOfTask(c, type, request.input as object);
      const wish = { ...signature, ...request, input, ...(place && { runQueue: place.taskQueue }) };
      const { schedule, outcome } = await putSchedule(client, wish);
      return c.json(schedule, outcome === 'created' ? 201 : 200);
    })
    .openapi(pause, async (c) =>
      c.json(await pauseSchedule(client, of(c.req.valid('param')), c.req.valid('query').note), 200),
    )
    .openapi(resume, async (c) =>
      c.json(await resumeSchedule(client, of(c.req.valid('param')), c.req.valid('query').note), 200),
    )
    .openapi(run, async (c) => c.json(await runSchedule(client, of(c.req.valid('param')), c.req.valid('query')), 202))
    .openapi(getTimes, async (c) => {
      const { from, until } = c.req.valid('query');
      const start = from === undefined ? new Date() : new Date(from);
      const end = until === undefined ? new Date(start.getTime() + WEEK_MS) : new Date(until);
      const times = await scheduleTimes(client, of(c.req.valid('param')), { from: start, until: end });
      return c.json({ times: times.map((due) => due.toISOString()) }, 200);
    })
    .openapi(remove, async (c) => {
      await removeSchedule(client, of(c.req.valid('param')));
      return c.body(null, 204);
    });
}
