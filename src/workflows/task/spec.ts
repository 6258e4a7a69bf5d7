import type { Decision } from '../../contract/approval.ts';
import type { Carried } from '../../contract/hand-over.ts';
import type { ReadShares } from '../../contract/read-shares.ts';
import type { RollBackReport, RollBackRequest } from '../../contract/roll-back.ts';
import type { TaskType } from '../../contract/task-types.ts';
import type { Hold, TaskContext } from './types.ts';

export interface TaskSpec {
  type: TaskType;
  /** Names of the indexes it concerns, for lists. */
  indexes: readonly string[];
  /** Name of a job's definition. */
  jobName?: string;
  parentId?: string | null;
  maxAttempts?: number | undefined;
  previous?: Carried | undefined;
  /** Problem of the input: the task fails without an attempt. */
  refusal?: Error | undefined;
  /** Seconds to wait after this many attempts; default: `backOffSeconds` of the contract. */
  backOff?: (attempts: number) => number;
  /** Set for short tasks: they publish only how they ended, to save history events. */
  quiet?: boolean;
  /** Passes a pause or its end on to work that runs on the task's behalf. */
  onPause?: (paused: boolean) => void;
  /** Called when the task pauses by itself, with the reason. */
  onHold?: (why: Hold) => void;
  /** Called when the task ends otherwise than done, to end what works for it elsewhere. */
  onEnd?: (task: TaskContext) => Promise<void>;
  /** Continues as a new run: calls `continueAsNew` with the task's state. Without it, a task has one run. */
  startNextRun?: (previous: Carried) => Promise<never>;
  /** Decides about the switch of a reindex. Returns why the call has no effect, or undefined. */
  onDecision?: (kind: Decision, by: unknown, reason: unknown) => string | undefined;
  /** Lets the other one of two indexes serve. Errors: `ApplicationFailure`. */
  onRollBack?: (request: RollBackRequest) => Promise<RollBackReport | null>;
  /** Sets the rate of a task that has one; null for no limit. */
  onThrottle?: (ratePerSecond: number | null) => void | Promise<void>;
  /** Sets the shares of live searches for another index; a share that is not given stays. */
  reads?: {
    /** Returns why the shares cannot be set, or undefined. */
    problemOf(shares: Partial<ReadShares>): string | undefined;
    change(shares: Partial<ReadShares>): Promise<void>;
  };
}
