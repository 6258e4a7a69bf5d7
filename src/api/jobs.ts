import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { jobListSchema, jobNameSchema, jobRunSchema } from '../contract/jobs.ts';
import { trackerSchema } from '../contract/tasks.ts';
import { infoOf } from '../jobs/lookup.ts';
import { jsonBody } from './body/json.ts';
import { createRouter } from './create-router.ts';
import { problemResponses } from './problems.ts';
import { type AcceptJobDependencies, acceptJob } from './tasks/accept-job.ts';
import { endOfRun, RUN_LOCATION } from './tasks/await-end.ts';
import { runQuery } from './tasks/schemas.ts';

const tags = ['jobs'];

const getAll = createRoute({
  method: 'get',
  path: '/',
  operationId: 'listJobs',
  tags,
  summary: 'List the jobs that can be run, with their options and the schemas of their inputs',
  responses: {
    200: { description: 'All jobs, by name.', content: { 'application/json': { schema: jobListSchema } } },
  },
});

const tracker = { 'application/json': { schema: trackerSchema } };

const run = createRoute({
  method: 'post',
  path: '/{name}/run',
  middleware: jsonBody({ anyText: 'input' }),
  operationId: 'runJob',
  tags,
  summary: 'Run a job',
  description:
    'One that is not run for the sake of another has the status `ignored`, and `data.duplicateOf` is the other.',
  request: {
    params: z.object({ name: jobNameSchema.describe('Name of the job.') }),
    query: runQuery,
    body: { required: true, content: { 'application/json': { schema: jobRunSchema } } },
  },
  responses: {
    200: {
      description: 'It is `ignored`, or, with `wait=true`, it has ended, however it did.',
      content: tracker,
      headers: RUN_LOCATION,
    },
    202: { description: 'Accepted; with `wait=true`: not ended in time.', content: tracker, headers: RUN_LOCATION },
    ...problemResponses('InvalidInput', 'JobUnknown', 'TaskLocked', 'TooLarge', 'TemporalUnavailable'),
  },
});

export function createJobRouter(deps: AcceptJobDependencies) {
  const { client, registry } = deps;
  return createRouter()
    .openapi(getAll, (c) => {
      const jobs = (registry?.tasks ?? []).map(infoOf).sort((left, right) => (left.name < right.name ? -1 : 1));
      return c.json({ jobs, known: registry !== undefined }, 200);
    })
    .openapi(run, async (c) => {
      const { wait = false, timeout, ignoreLock } = c.req.valid('query');
      const accepted = await acceptJob(deps, c.req.valid('param').name, c.req.valid('json'), { ignoreLock });
      const view = await endOfRun(client, accepted, { waitSeconds: wait ? timeout : 0, signal: c.req.raw.signal });
      const location = `/v1/tasks/info?taskId=${encodeURIComponent(accepted.id)}`;
      return c.json(view.tracker, view.ended ? 200 : 202, { location });
    });
}
