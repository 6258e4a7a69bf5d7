import type { HandOver } from '../../contract/hand-over.ts';
import type { StartableType } from '../../contract/task-types.ts';
import type { TaskInputs } from '../../contract/workflow-inputs.ts';

export interface StartTaskOptions<T extends StartableType = StartableType> {
  type: T;
  taskId: string;
  input: TaskInputs[T];
  /** Data that the product passes to the run in addition to the input. */
  handOver?: HandOver | undefined;
  taskQueue: string;
  /** Hash that shows whether another call with the same id has the same input. */
  inputHash: string;
  /** One line for the Temporal UI. */
  summary?: string;
  /** Lower is sooner; default: the priority of live writes. */
  priority?: number;
  /** Name of the sender that must not starve others, if the server has fairness enabled. */
  fairnessKey?: string;
  /** End the task of this id, if there is one, and run this one instead, whatever its input. */
  ignoreLock?: boolean;
  /** How long the start is repeated while the server does not answer; default: 15,000 ms. */
  patienceMs?: number | undefined;
}
