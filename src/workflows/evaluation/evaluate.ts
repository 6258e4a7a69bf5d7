import { continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { EvaluationRequest } from '../../contract/evaluation.ts';
import type { HandOver } from '../../contract/hand-over.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { TaskInputs } from '../../contract/workflow-inputs.ts';
import { admit, chainOf } from '../task/admit.ts';
import { handOver, receive } from '../task/receive.ts';
import { runTask } from '../task/run-task.ts';
import { evaluate } from './step.ts';

type Input = TaskInputs['evaluate'];

/**
 * Runs a query set on two indexes and compares the results. The tracker has the verdict and the scores; the report is in
 * Postgres. A restart evaluates again.
 */
export async function evaluateIndexes(first: Input, second?: HandOver): Promise<Tracker> {
  const { body: input, raw, given, refusal } = receive('evaluate', first, second);
  const spec = {
    type: 'evaluate',
    indexes: [input.left, input.right].filter((name) => typeof name === 'string'),
    maxAttempts: input.maxAttempts,
    previous: given.previous,
    refusal,
    startNextRun: (previous: HandOver['previous']) =>
      continueAsNew<typeof evaluateIndexes>(raw as Input, handOver({ previous })),
  } as const;
  return runTask(spec, async (task) => {
    const { input: checked } = await admit(task, 'evaluate', raw, given.previous);
    const request = checked as unknown as EvaluationRequest;
    const { left, right, querySet } = request;
    task.report({ failed: 0, data: { left, right, querySet } });
    task.setDetail(`running the queries of ${querySet} on ${left} and ${right}`);
    const outcome = await evaluate(task, {
      run: chainOf(workflowInfo()),
      request,
      onProgress: ({ done, total }) => task.report({ done, total }),
    });
    if (!outcome) return;
    const { why, ...numbers } = outcome;
    task.report({ data: { ...numbers } });
    task.setDetail(`${numbers.verdict}: ${why}`);
  });
}
