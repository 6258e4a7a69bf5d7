import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { fieldIssues, issuesText } from '../contract/issues.ts';
import type { AdmissionActivities, JobActivities, RunJobRequest } from '../contract/job-activities.ts';
import { jobSchema } from '../contract/jobs.ts';
import { JOB_SIGNAL } from '../contract/names.ts';
import { runAttempt } from '../jobs/attempt.ts';
import { callHandler } from '../jobs/failure.ts';
import { createJobControl } from '../jobs/inspect.ts';
import type { Isolation } from '../jobs/isolation-pool.ts';
import { plainDetails } from '../jobs/json.ts';
import { planJob } from '../jobs/options.ts';
import { checkInput, hidden } from '../jobs/send.ts';
import type { AnyTask, Bound, Registry } from '../jobs/types.ts';
import { requireOwnId } from './own-id.ts';
import { withFailures } from './support/failures.ts';
import { runWithHeartbeat } from './support/heartbeat.ts';

export interface JobDependencies {
  registry: Registry;
  client: Client;
  /** The workflows' task queue. */
  taskQueue: string;
  /** The identity of this worker in Temporal. */
  workerId: string;
  log: Logger;
  /** Threads and processes for the option `isolate`; absent if the task modules are unknown. */
  isolation?: Isolation;
}

/** After this time a job reports its start to its workflow; shorter jobs are over before anyone asks. */
const TELL_AFTER_MS = 500;

/** Activities of the workers that have the user's task definitions. */
export function createJobActivities(deps: JobDependencies): { admission: AdmissionActivities; jobs: JobActivities } {
  const { registry, workerId, log } = deps;
  const control = createJobControl(deps, registry);
  const requireTask = (name: string): AnyTask => {
    const task = registry.get(name);
    if (task) return task;
    throw new ReembedError('JobUnknown', `the worker ${workerId} has no task ${name}: was it renamed or removed?`);
  };

  const admission: AdmissionActivities = {
    async admitJob(job) {
      const parsed = jobSchema.safeParse(job);
      if (!parsed.success) {
        const issues = fieldIssues(parsed.error);
        throw new ReembedError('InvalidInput', `the job: ${issuesText(issues)}`, { issues: [] });
      }
      requireOwnId(job, Context.current().info.workflowExecution?.workflowId ?? '');
      const { name, input: given, ...call } = parsed.data;
      const task = requireTask(name);
      const { sent, input } = await checkInput(task, given);
      return hidden(deps.client, planJob(task, { input, sent }, call));
    },
  };

  const jobs: JobActivities = {
    async runJob(request) {
      const task = requireTask(request.name);
      const context = Context.current();
      const uuid = context.info.workflowExecution?.workflowId ?? '';
      const jobLog = log.child({ job: request.name, taskId: uuid, attempt: request.attempt });
      const telling = setTimeout(() => tellStart(deps, request), TELL_AFTER_MS);
      try {
        return await runWithHeartbeat<unknown, Awaited<ReturnType<JobActivities['runJob']>>>(({ beat }) => {
          const options = {
            name: request.name,
            taskId: uuid,
            timeoutMs: request.timeoutMs,
            canceled: context.cancellationSignal,
            cancelReason: () =>
              context.cancellationDetails?.workerShutdown
                ? new ReembedError('WorkerStopped', `the worker ${workerId} was stopped`)
                : new CancelledFailure('canceled'),
          };
          return runAttempt(options, async (signal) => {
            const { name, attempt, bind, isolate } = request;
            const { input } = await checkInput(task, request.input);
            if (isolate !== 'none') {
              const job = { name, input: request.input, bind, uuid, workerId, attempt };
              return requireIsolation(deps.isolation).run(isolate, job, signal);
            }
            const heartbeat = (details?: unknown) => beat(plainDetails(details));
            const bound: Bound = { uuid, workerId, attempt, signal, heartbeat, control, log: jobLog };
            return callHandler(() => (bind ? call(task, bound, input) : call(task, input)));
          });
        });
      } catch (error) {
        if (!(error instanceof CancelledFailure))
          jobLog.warn({ err: error }, `the attempt failed: ${messageOf(error)}`);
        throw error;
      } finally {
        clearTimeout(telling);
      }
    },
  };
  return { admission: withFailures(admission), jobs: withFailures(jobs) };
}

function requireIsolation(isolation: Isolation | undefined): Isolation {
  if (isolation) return isolation;
  throw new ReembedError('InvalidSetting', 'isolate needs a worker with task modules: start it with --tasks');
}

/** Calls the handler. Its arguments depend on the option `bind`, which a call may override. */
function call(task: AnyTask, ...args: unknown[]): unknown {
  return (task.handler as (...args: unknown[]) => unknown)(...args);
}

async function tellStart({ client, workerId }: JobDependencies, { attempt }: RunJobRequest): Promise<void> {
  const { workflowId = '', runId } = Context.current().info.workflowExecution ?? {};
  // Only for display: the job runs without it.
  await client.workflow
    .getHandle(workflowId, runId)
    .signal(JOB_SIGNAL.started, { attempt, workerId })
    .catch(() => {});
}
