import { afterAll, beforeAll, expect, test } from 'vitest';
import { readTaskInput, startTask } from '../../../src/temporal/index.ts';
import { openWorld, uniqueName, type World } from '../support.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

test('the input of a task is read without a worker, as it was sent', async () => {
  const { client, taskQueue } = world;
  const taskId = uniqueName('job');
  const input = { name: 'greet', input: { to: 'Ann', lines: ['a', 'b'] }, queue: 'mail' };
  await startTask(client, { type: 'job', taskId, input, taskQueue, inputHash: 'h' });
  expect(await readTaskInput(client, taskId)).toEqual(input);
});

test('the input of an unknown task is TaskNotFound', async () => {
  await expect(readTaskInput(world.client, uniqueName('none'))).rejects.toMatchObject({ type: 'TaskNotFound' });
});
