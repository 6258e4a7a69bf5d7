import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import { WORKFLOW } from '../contract/names.ts';

/** Takes the place of a workflow that there is not: without it the server would offer the start again and again. */
export async function unknown(): Promise<never> {
  const { workflowType } = workflowInfo();
  const known = Object.values(WORKFLOW).sort().join(', ');
  throw ApplicationFailure.nonRetryable(
    `there is no workflow of type ${workflowType.slice(0, 200)}: the types are ${known}`,
    'InvalidInput',
  );
}
