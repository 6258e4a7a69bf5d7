import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';

/**
 * Creates the workflow that fails for all types other than these. Without it, the server would retry the workflow task
 * of an unknown type forever.
 */
export function refuseOtherThan(types: readonly string[]): () => Promise<never> {
  const known = [...types].sort().join(', ');
  return async () => {
    const { workflowType } = workflowInfo();
    throw ApplicationFailure.nonRetryable(
      `there is no workflow of type ${workflowType.slice(0, 200)}: the types are ${known}`,
      'InvalidInput',
    );
  };
}
