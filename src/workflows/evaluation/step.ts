import type { EvaluationOutcome } from '../../contract/activities.ts';
import type { Usage } from '../../contract/budget.ts';
import type { EvaluationRequest } from '../../contract/evaluation.ts';
import { evaluationActivities } from '../activities.ts';
import { orHold } from '../task/hold.ts';
import { withStepWaits } from '../task/step-waits.ts';
import type { TaskContext } from '../task/types.ts';

export interface EvaluationStep {
  run: string;
  request: EvaluationRequest;
  /** Called with the number of queries that have run. */
  onProgress: (progress: { done: number; total: number; usage?: Usage | undefined }) => void;
  /** Checked between two activities: true ends the evaluation without an outcome. */
  isOver?: () => boolean;
}

/**
 * Evaluates two indexes as a step of a task, and returns the outcome; the report is in Postgres under the id of the
 * task. The same `run` continues what it has begun, and another one replaces the task's evaluation. Pauses and
 * cancellations take effect between two activities of some seconds. Pauses the task while its budget is used up.
 */
export async function evaluate(
  task: TaskContext,
  { run, request, onProgress, isOver = () => false }: EvaluationStep,
): Promise<EvaluationOutcome | undefined> {
  const activities = evaluationActivities();
  let progress = await activities.beginEvaluation({ taskId: task.id, run, request });
  onProgress(progress);
  while (progress.done < progress.total) {
    await task.checkpoint();
    if (isOver()) return undefined;
    const run = () => withStepWaits(() => activities.evaluateQueries(task.id));
    const step = await orHold(task, run, { only: ['BudgetUsedUp'] });
    task.noteWaits(step.waits);
    progress = step;
    onProgress(progress);
    task.continueIfLong();
  }
  await task.checkpoint();
  return isOver() ? undefined : activities.finishEvaluation(task.id);
}
