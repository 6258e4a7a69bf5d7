import { defineSearchAttributeKey } from '@temporalio/common';
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
import { durationText } from '../contract/durations.ts';
import { standsForText } from '../contract/failures.ts';
import { LIMITS } from '../contract/limits.ts';
import { laneIdOf } from '../contract/names.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { HandOver, JobInput, JobPlan, Turn } from '../contract/workflow-inputs.ts';
import { admission, jobActivities, laneEntry } from './activities.ts';
import { errorOf, IgnoredError } from './errors.ts';
import { type Received, receive } from './receive.ts';
import { leaveSignal, startedSignal, turnSignal } from './signals.ts';
import type { Task } from './task.ts';
import { runTask } from './tracker.ts';

/** A job that waits for its turn asks its lane again after this time, and more and more seldom: it may be a new one. */
const ASK_AGAIN_SECONDS = { first: 60, most: 600 } as const;

const jobLane = defineSearchAttributeKey('JobLane', 'KEYWORD');

/** How soon a job asks again when a worker did not know it. */
const UNKNOWN_SECONDS = { first: 2, most: 60, factor: 2 } as const;
/** As long as a job waits for a worker if nobody says otherwise. */
const ADMISSION_MS = 86_400_000;

/**
 * Runs a function of the user's own, by a worker that knows its definition: when its time has come, then when its turn
 * has come, where it must mind others of its name and key. What the function returned is `data.result`.
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
    quiet: given.standsFor !== undefined && !previous,
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
  /** What the function gets: perhaps that of a newer submission that was ignored for this job. */
  private functionInput: unknown;
  private due = false;
  private turn: Turn | undefined;
  /** Since when, in ms since 1970, no worker that was asked has known it, and how long it waited last. */
  private unknownSince: number | undefined;
  private unknownSeconds: number | undefined;
  /** Its lane may have it on its list. */
  private inLane: boolean;

  constructor({ body: input, raw, given }: Received<JobInput>) {
    this.input = input;
    this.raw = raw;
    this.given = given;
    this.plan = given.plan;
    const { previous } = given;
    // An earlier run has waited for its time, and has left its lane.
    const again = previous !== undefined;
    this.due = again;
    this.turn = again ? undefined : given.turn;
    this.inLane = this.turn !== undefined;
    this.functionInput = again && 'newestInput' in previous.data ? previous.data.newestInput : input.input;
    setHandler(turnSignal, (told) => {
      this.turn = { kind: 'runs' };
      // One that minds no others may be on a list too: others mind it.
      this.inLane = true;
      if (told?.newest) this.functionInput = told.newest.input;
    });
  }

  async attempt(task: Task): Promise<void> {
    const { standsFor, previous } = this.given;
    // Forced to run after all, it asks its lane again.
    if (standsFor !== undefined && !previous) this.ignoreFor(task, standsFor);
    this.plan ??= await this.admit(task);
    if (this.plan.onDuplicate === 'parallel') this.showLane(this.plan);
    task.report({ data: { name: this.input.name, queue: this.plan.queue, ...startedBy() } });
    await this.waitForTime(task, this.plan);
    if (this.plan.onDuplicate !== 'parallel') await this.waitForTurn(task, this.plan);
    await this.runFunction(task, this.plan);
  }

  private async admit(task: Task): Promise<JobPlan> {
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
   * Another worker may know it, or one will after a deploy: that uses up no attempt. The wait has a bound, and `restart`
   * ends it at once.
   */
  private async waitForDefinition(task: Task, problem: string, mostMs: number): Promise<void> {
    this.unknownSince ??= Date.now();
    const leftMs = this.unknownSince + mostMs - Date.now();
    if (leftMs <= 0) {
      const since = new Date(this.unknownSince).toISOString();
      throw ApplicationFailure.nonRetryable(`${problem}; nobody has known it since ${since}`, 'JobUnknown');
    }
    const { first, most, factor } = UNKNOWN_SECONDS;
    this.unknownSeconds = Math.min(most, (this.unknownSeconds ?? first / factor) * factor);
    const seconds = Math.min(this.unknownSeconds, leftMs / 1_000);
    const since = new Date(this.unknownSince).toISOString();
    await task.waitFor(`${problem}; since ${since}, asks again in ${Math.ceil(seconds)} s`, seconds);
  }

  /**
   * A timer of its own, rather than Temporal's start delay: this one shows as `waiting`, `cancel` takes hold at once and
   * `restart` runs the job now.
   */
  private async waitForTime(task: Task, { runs }: JobPlan): Promise<void> {
    if (this.due || runs === null) return;
    const runAtMs = 'atMs' in runs ? runs.atMs : workflowInfo().startTime.getTime() + runs.afterMs;
    for (let leftMs = runAtMs - Date.now(); leftMs > 0; leftMs = runAtMs - Date.now()) {
      if (await task.waitFor(`will run at ${new Date(runAtMs).toISOString()}`, leftMs / 1_000)) break;
    }
    this.due = true;
  }

  private async waitForTurn(task: Task, plan: JobPlan): Promise<void> {
    if (this.turn === undefined) await this.enterLane(task, plan);
    let seconds: number = ASK_AGAIN_SECONDS.first;
    while (this.turn?.kind === 'waits') {
      const { behind } = this.turn;
      const isMine = () => this.turn?.kind === 'runs';
      if (await task.waitUntil(`waits for its turn behind ${behind}`, isMine, seconds)) break;
      seconds = Math.min(ASK_AGAIN_SECONDS.most, seconds * 2);
      await this.enterLane(task, plan);
    }
    if ('newestInput' in task.tracker.data || this.functionInput !== this.input.input) {
      task.report({ data: { newestInput: this.functionInput as never } });
    }
  }

  private async enterLane(task: Task, plan: JobPlan): Promise<void> {
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
      this.ignoreFor(task, answer.standsFor);
    }
    // Its turn may have come while the answer was under way.
    if (this.turn?.kind !== 'runs') this.turn = answer.kind === 'waits' ? answer : { kind: 'runs' };
  }

  /** Where others that must mind it find it; who sends it with a plan has said so. */
  private showLane(plan: JobPlan): void {
    if (workflowInfo().typedSearchAttributes.get(jobLane) !== undefined) return;
    upsertSearchAttributes([{ key: jobLane, value: this.laneId(plan) }]);
  }

  private ignoreFor(task: Task, standsFor: string): never {
    task.report({ data: { name: this.input.name, standsFor } });
    throw new IgnoredError(standsForText(standsFor));
  }

  private async runFunction(task: Task, plan: JobPlan): Promise<void> {
    const { timeoutMs, bind, isolate, queue } = plan;
    const { attempts } = task.tracker;
    setHandler(startedSignal, (told) => {
      const { attempt, workerId } = told ?? {};
      if (typeof workerId !== 'string' || attempt !== task.tracker.attempts || task.tracker.status !== 'processing')
        return;
      task.report({ data: { workerId } });
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
        // Nothing is wrong with the job: it is the same attempt still.
        task.setDetail(`${message}; waits for another worker of ${where}`);
        await task.checkpoint();
      }
    }
  }

  /** Its lane lets the next one run. A lane that is gone needs no telling. */
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

/** The schedule that started it, and when it was due: a late one tells how late it is. */
function startedBy(): { schedule?: string; dueTime?: string } {
  const { TemporalScheduledById, TemporalScheduledStartTime } = workflowInfo().searchAttributes;
  const [schedule] = TemporalScheduledById ?? [];
  const [due] = TemporalScheduledStartTime ?? [];
  if (typeof schedule !== 'string') return {};
  return { schedule, ...(due instanceof Date && { dueTime: due.toISOString() }) };
}

/** Timeouts of the server in our words; all else as it is. */
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
  const { initialMs, factor, mostMs } = plan?.backOff ?? { initialMs: 10_000, factor: 2, mostMs: 600_000 };
  return Math.min(mostMs, initialMs * factor ** (attempts - 1)) / 1_000;
}
