import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import type { Db } from '../../src/store/database.ts';
import type { BenchSystem } from '../system.ts';
import { createMinimalActivities } from './activity.ts';

const TASK_QUEUE = 'minimal';

export interface Minimal {
  /** Writes one object, and resolves when its workflow has ended. */
  write(id: string, text: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a worker of the minimal workflow, on the same server and in the same process as the system's own. */
export async function startMinimal(
  { connection, client }: BenchSystem,
  db: Db,
  model: { modelUrl: string; dimensions: number },
): Promise<Minimal> {
  const worker = await Worker.create({
    connection,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(new URL('workflow.ts', import.meta.url)),
    activities: { ...(await createMinimalActivities(db, model)) },
  });
  const running = worker.run();
  return {
    async write(id, text) {
      await client.workflow.execute('minimal', {
        workflowId: `minimal/${id}`,
        taskQueue: TASK_QUEUE,
        args: [id, text],
      });
    },
    async stop() {
      worker.shutdown();
      await running;
    },
  };
}
