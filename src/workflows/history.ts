import { workflowInfo } from '@temporalio/workflow';

/** Whether the history of this run has grown so long that the task is to go on as a new one. */
export function isHistoryLong(): boolean {
  return workflowInfo().continueAsNewSuggested;
}

/**
 * Thrown by a step where it may be left: the task goes on there as a new run. It travels to the top first, so that nothing
 * is awaited any more when what people have asked for is handed over.
 */
export class GoesOn extends Error {
  constructor() {
    super('the task goes on as a new run');
    this.name = 'GoesOn';
  }
}
