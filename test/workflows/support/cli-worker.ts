import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { CliProcess } from '../../cli/support.ts';
import { builtMain } from '../../support/build.ts';

interface Where {
  environment: Pick<TestWorkflowEnvironment, 'address' | 'namespace'>;
  databaseUrl: string;
  taskQueue: string;
  /** More variables of the process. */
  env?: Record<string, string>;
}

/** Starts a worker as a process of its own, which a test may kill. */
export function startCliWorker({ environment, databaseUrl, taskQueue, env }: Where): CliProcess {
  const all = {
    ...env,
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: environment.address,
    TEMPORAL_NAMESPACE: environment.namespace,
    REEMBED_TASK_QUEUE: taskQueue,
  };
  return new CliProcess(['worker'], all, [builtMain()]);
}
