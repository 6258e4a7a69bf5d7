import { workflowInfo } from '@temporalio/workflow';

/** Returns true if this run's history is so long that the task should continue as a new run. */
export function isHistoryLong(): boolean {
  return workflowInfo().continueAsNewSuggested;
}

/**
 * Thrown by a step at a point from which the task can continue as a new run. It propagates to the top first, so that
 * nothing is awaited any more when received signals are handed over.
 */
export class ContinuesAsNew extends Error {
  constructor() {
    super('the task continues as a new run');
    this.name = 'ContinuesAsNew';
  }
}
