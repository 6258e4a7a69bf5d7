import { Worker } from '@temporalio/worker';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openPostgresDatabase } from '../support/databases.ts';
import { startRig, startTemporal } from '../support/rig.ts';

test('workflow code is not interrupted by a timeout when its process was frozen for a while', async () => {
  const create = vi.spyOn(Worker, 'create');
  const [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
  const rig = await startRig({ environment, db: database.db });
  onTestFinished(async () => {
    create.mockRestore();
    await rig.stop();
    await environment.teardown();
    await database.close();
  });
  const workers = (await Promise.all(create.mock.results.map(({ value }) => value))) as Worker[];
  const running = workers.filter(({ options }) => options.workflowBundle);
  expect(running).not.toHaveLength(0);
  for (const { options } of running) expect(options.isolateExecutionTimeoutMs).toBe(600_000);
});
