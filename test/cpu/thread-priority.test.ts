import { getPriority } from 'node:os';
import { expect, test } from 'vitest';
import { lowerThreadPriority } from '../../src/cpu/thread-priority.ts';
import { WorkerPool } from '../../src/cpu/worker-pool.ts';

test.runIf(process.platform === 'linux')('a thread yields to the event loop of its process', async () => {
  const pool = new WorkerPool<null, number>(new URL('./fixtures/priority.mjs', import.meta.url), { max: 1 });
  const own = getPriority();
  expect(await pool.run(null)).toBeGreaterThan(own);
  expect(getPriority()).toBe(own);
});

test('the main thread keeps its priority', () => {
  const own = getPriority();
  lowerThreadPriority();
  expect(getPriority()).toBe(own);
});
