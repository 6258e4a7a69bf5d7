import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  getExternalWorkflowHandle,
  setHandler,
  TimeoutFailure,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { durationText } from '../../contract/durations.ts';
import { duplicateText } from '../../contract/failures.ts';
import type { HandOver } from '../../contract/hand-over.ts';
import type { JobPlan, Turn } from '../../contract/job-plan.ts';
import { LIMITS } from '../../contract/limits.ts';
import { laneIdOf } from '../../contract/names.ts';
import { KEYS, searchAttributes } from '../../contract/search-attributes.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { JobInput } from '../../contract/workflow-inputs.ts';
import { admission, jobActivities, laneEntry } from '../activities.ts';
import { errorOf, IgnoredError } from '../task/errors.ts';
import { type Received, receive } from '../task/receive.ts';
import { runTask } from '../task/run-task.ts';
import { leaveSignal, startedSignal, turnSignal } from '../task/signals.ts';
import type { TaskContext } from '../task/types.ts';
import { nextWait } from './next-wait.ts';

/** Interval in which a waiting job asks its lane again, in case it is a new one: doubles from `first` to `max`. */
const ASK_AGAIN_SECONDS = { first: 60, max: 600 } as const;

/** Backoff of a job whose definition a worker did not have. */
const UNKNOWN_SECONDS = { first: 2, max: 60 } as const;
/** Default time that a job waits for a worker. */
const ADMISSION_MS = 86_400_000;

/**
 * Runs a user's function on a worker that has its definition: first waits until it is due, then for its turn if it is
 * subject to duplicate handling. `data.result` is what the function returned.
 */
export async function job(first: JobInput, second?: HandOver): Promise<Tracker> {
  const received = receive('job', first, second);
  const { body: input, given, refusal } = received;
  const { previous } = given;
  const run = new JobRun(received);
  const spec = {
    type: 'job',
    indexes: [],
    jobName: typeof input.name === 'string' ? input.name.slice(0, LIMITS.nameChars) : '',
    maxAttempts: given.plan?.maxAttempts ?? input.maxAttempts,
    previous,
    refusal,
    quiet: given.duplicateOf !== undefined && !previous,
    backOff: (attempts: number) => backOffSeconds(run.plan, attempts - (previous?.attempts ?? 0)),
  } as const;
  try {
    return await runTask(spec, (task) => run.attempt(task));
  } finally {
    await CancellationScope.nonCancellable(() => run.leaveLane());
  }
}

class JobRun {
  plan: JobPlan | undefined;
  private readonly input: JobInput;
  private readonly raw: unknown;
  private readonly given: Received<JobInput>['given'];
  /** Input of the function; may come from a newer submission that was ignored in favor of this job. */
  private functionInput: unknown;
  private due = false;
  private turn: Turn | undefined;
  /** Since when no asked worker has had the definition, in ms since 1970, and the length of the last wait. */
  private unknownSince: number | undefined;
  private unknownSeconds: number | undefined;
  /** True if the lane may have an entry for this run. */
  private inLane: boolean;

  constructor({ body: input, raw, given }: Received<JobInput>) {
    this.input = input;
    this.raw = raw;
    this.given = given;
    this.plan = given.plan;
    const { previous } = given;
    // An earlier run has already waited until it was due, and has left its lane.
    const again = previous !== undefined;
    this.due = again;
    this.turn = again ? undefined : given.turn;
    this.inLane = this.turn !== undefined;
    this.functionInput = again && 'newestInput' in previous.data ? previous.data.newestInput : input.input;
    setHandler(turnSignal, (notice) => {
      this.turn = { kind: 'runs' };
      // A parallel job may have an entry too, because others wait for it.
      this.inLane = true;
      if (notice?.newest) this.functionInput = notice.newest.input;
    });
  }

  async attempt(task: TaskContext): Promise<void> {
    const { duplicateOf, previous } = this.given;
    // A duplicate that was forced to run asks its lane again.
    if (duplicateOf !== undefined && !previous) this.ignoreFor(task, duplicateOf);
    this.plan ??= await this.admit(task);
    if (this.plan.onDuplicate === 'parallel') this.showLane(this.plan);
    task.report({ data: { name: this.input.name, queue: this.plan.queue, ...startedBy() } });
    await this.waitForTime(task, this.plan);
    if (this.plan.onDuplicate !== 'parallel') await this.waitForTurn(task, this.plan);
    await this.runFunction(task, this.plan);
  }

  private async admit(task: TaskContext): Promise<JobPlan> {
    const { previous } = this.given;
    for (;;) {
      task.setDetail('waits for a worker that knows its definition');
      try {
        const plan = await admission().admitJob(this.raw as JobInput);
        task.tracker.maxAttempts = plan.maxAttempts + (previous?.attempts ?? 0);
        return plan;
      } catch (error) {
        const { type, message } = errorOf(error);
        if (type !== 'JobUnknown') throw plainFailure(error, 'no worker with tasks took it up');
        await this.waitForDefinition(task, message, ADMISSION_MS);
      }
    }
  }

  /**
   * Waits without using up an attempt, because another worker may have the definition, or will after a deploy. The wait
   * has a limit, and `restart` ends it immediately.
   */
  private async waitForDefinition(task: TaskContext, problem: string, maxMs: number): Promise<void> {
    this.unknownSince ??= Date.now();
    const leftMs = this.unknownSince + maxMs - Date.now();
    if (leftMs <= 0) {
      const since = new Date(this.unknownSince).toISOString();
      throw ApplicationFailure.nonRetryable(`${problem}; nobody has known it since ${since}`, 'JobUnknown');
    }
    const { first, max } = UNKNOWN_SECONDS;
    this.unknownSeconds = this.unknownSeconds
      ? nextWait(this.unknownSeconds, max, Date.now() - this.unknownSince)
      : first;
    const seconds = Math.min(this.unknownSeconds, leftMs / 1_000);
    const since = new Date(this.unknownSince).toISOString();
    await task.waitFor(`${problem}; since ${since}, asks again in ${Math.ceil(seconds)} s`, seconds);
  }

  /**
   * Waits with a timer instead of Temporal's start delay, so that the status is `waiting`, `cancel` works immediately
   * and `restart` runs the job now.
   */
  private async waitForTime(task: TaskContext, { runs }: JobPlan): Promise<void> {
    if (this.due || runs === null) return;
    const runAtMs = 'atMs' in runs ? runs.atMs : workflowInfo().startTime.getTime() + runs.afterMs;
    for (let leftMs = runAtMs - Date.now(); leftMs > 0; leftMs = runAtMs - Date.now()) {
      if (await task.waitFor(`will run at ${new Date(runAtMs).toISOString()}`, leftMs / 1_000)) break;
    }
    this.due = true;
  }

  private async waitForTurn(task: TaskContext, plan: JobPlan): Promise<void> {
    if (this.turn === undefined) await this.enterLane(task, plan);
    const sinceMs = Date.now();
    let seconds: number = ASK_AGAIN_SECONDS.first;
    while (this.turn?.kind === 'waits') {
      const { behind } = this.turn;
      const isMine = () => this.turn?.kind === 'runs';
      if (await task.waitUntil(`waits for its turn behind ${behind}`, isMine, seconds)) break;
      seconds = nextWait(seconds, ASK_AGAIN_SECONDS.max, Date.now() - sinceMs);
      await this.enterLane(task, plan);
    }
    if ('newestInput' in task.tracker.data || this.functionInput !== this.input.input) {
      task.report({ data: { newestInput: this.functionInput as never } });
    }
  }

  private async enterLane(task: TaskContext, plan: JobPlan): Promise<void> {
    const { onDuplicate, newest } = plan;
    if (onDuplicate === 'parallel') return;
    task.setDetail('asks whether it may run beside others of its key');
    this.inLane = true;
    const answer = await laneEntry.enterLane({
      laneId: this.laneId(plan),
      request: { taskId: task.id, runId: workflowInfo().runId, onDuplicate, newest, job: this.input, inputHash: null },
    });
    if (answer.kind === 'ignored') {
      this.inLane = false;
      this.ignoreFor(task, answer.duplicateOf);
    }
    // The turn signal may arrive before the answer does.
    if (this.turn?.kind !== 'runs') this.turn = answer.kind === 'waits' ? answer : { kind: 'runs' };
  }

  /** Sets the search attribute by which a lane finds parallel jobs, unless the client set it with the plan. */
  private showLane(plan: JobPlan): void {
    if (workflowInfo().typedSearchAttributes.get(KEYS.jobLane) !== undefined) return;
    upsertSearchAttributes(searchAttributes({ jobLane: this.laneId(plan) }));
  }

  private ignoreFor(task: TaskContext, duplicateOf: string): never {
    task.report({ data: { name: this.input.name, duplicateOf } });
    throw new IgnoredError(duplicateText(duplicateOf));
  }

  private async runFunction(task: TaskContext, plan: JobPlan): Promise<void> {
    const { timeoutMs, bind, isolate, queue } = plan;
    const { attempts } = task.tracker;
    setHandler(startedSignal, (notice) => {
      const { attempt, workerId } = notice ?? {};
      if (typeof workerId !== 'string' || attempt !== task.tracker.attempts || task.tracker.status !== 'processing')
        return;
      task.report({ data: { workerId: workerId.slice(0, LIMITS.taskIdChars) } });
      task.setDetail(`runs on ${workerId}`);
    });
    const where = `the queue ${queue}`;
    task.setDetail(`waits for a worker of ${where}`);
    const request = { name: this.input.name, input: this.functionInput, attempt: attempts, bind, timeoutMs, isolate };
    for (;;) {
      try {
        const result = await jobActivities(plan).runJob(request);
        this.unknownSince = undefined;
        task.report({ data: { result } });
        task.setDetail('the function has returned');
        return;
      } catch (error) {
        const { type, message, byHandler } = errorOf(error);
        if (type === 'JobUnknown' && !byHandler) {
          await this.waitForDefinition(task, message, plan.startTimeoutMs);
          task.setDetail(`waits for a worker of ${where}`);
          continue;
        }
        if (type !== 'WorkerStopped' || byHandler) {
          throw plainFailure(
            error,
            `no worker of ${where} took it up within ${durationText(plan.startTimeoutMs)}`,
            `it took longer than ${durationText(timeoutMs)} and did not stop`,
          );
        }
        // The job did not fail, so it is still the same attempt.
        task.setDetail(`${message}; waits for another worker of ${where}`);
        await task.checkpoint();
      }
    }
  }

  /** Leaves the lane, so that the next job can run. A lane that has ended needs no signal. */
  async leaveLane(): Promise<void> {
    if (!this.inLane || !this.plan) return;
    const { workflowId: taskId, runId } = workflowInfo();
    const lane = getExternalWorkflowHandle(this.laneId(this.plan));
    await lane.signal(leaveSignal, { taskId, runId }).catch(() => {});
  }

  private laneId({ keyHash }: JobPlan): string {
    return laneIdOf(workflowInfo().taskQueue, this.input.name, keyHash);
  }
}

/** Returns the schedule that started this job and when it was due, which shows how late a delayed job is. */
function startedBy(): { schedule?: string; dueTime?: string } {
  const { TemporalScheduledById, TemporalScheduledStartTime } = workflowInfo().searchAttributes;
  const [schedule] = TemporalScheduledById ?? [];
  const [due] = TemporalScheduledStartTime ?? [];
  if (typeof schedule !== 'string') return {};
  return { schedule, ...(due instanceof Date && { dueTime: due.toISOString() }) };
}

/** Turns the server's timeouts into clear errors; returns other errors unchanged. */
function plainFailure(error: unknown, noWorker: string, tooLong = 'it took too long'): unknown {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof TimeoutFailure)) return error;
  switch (error.cause.timeoutType) {
    case 'SCHEDULE_TO_START':
      return ApplicationFailure.nonRetryable(noWorker, 'NoWorker');
    case 'HEARTBEAT':
      return ApplicationFailure.retryable('its worker died, or was blocked, and gave no sign of life', 'WorkerLost');
    default:
      return ApplicationFailure.retryable(tooLong, 'TaskTimeout');
  }
}

function backOffSeconds(plan: JobPlan | undefined, attempts: number): number {
  const { initialMs, factor, maxMs } = plan?.backOff ?? { initialMs: 10_000, factor: 2, maxMs: 600_000 };
  return Math.min(maxMs, initialMs * factor ** (attempts - 1)) / 1_000;
}
