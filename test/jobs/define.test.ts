import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createRegistry, defineTask, globalRegistry } from '../../src/jobs/index.ts';
import { checkInput } from '../../src/jobs/send.ts';

const noop = () => {};

describe('defining tasks', () => {
  test('a separate registry does not share its tasks with the global one', () => {
    const registry = createRegistry();
    const task = defineTask({ name: 'isolated', registry }, noop);
    expect(registry.get('isolated')).toBe(task);
    expect(globalRegistry().get('isolated')).toBeUndefined();
    expect(createRegistry().tasks).toEqual([]);
  });

  test('a task without a registry is in the global one, which all copies of the package share', () => {
    const task = defineTask({ name: 'global-task' }, noop);
    expect(globalRegistry().get('global-task')).toBe(task);
    expect((globalThis as Record<symbol, unknown>)[Symbol.for('reembed.jobs.registry')]).toBe(globalRegistry());
  });

  test('a name has only one definition in a registry', () => {
    const registry = createRegistry();
    defineTask({ name: 'twice', registry }, noop);
    expect(() => defineTask({ name: 'twice', registry }, noop)).toThrow('there is already a task twice');
    expect(() => defineTask({ name: 'no name', registry }, noop)).toThrow('a task cannot be named "no name"');
  });

  test('sending without a connection fails with instructions', async () => {
    const task = defineTask({ name: 'adrift', registry: createRegistry() }, noop);
    await expect(task.delay()).rejects.toMatchObject({
      type: 'NotConnected',
      message: expect.stringContaining('connectJobs'),
    });
  });
});

describe('the input of a task', () => {
  const task = defineTask(
    {
      name: 'typed',
      registry: createRegistry(),
      input: z.strictObject({ to: z.string(), when: z.coerce.date().optional(), tries: z.int().default(1) }),
    },
    noop,
  );

  test('is checked as the JSON in which it will arrive', async () => {
    const { sent, input } = await checkInput(task, { to: 'a', when: new Date(0) });
    expect(sent).toEqual({ to: 'a', when: '1970-01-01T00:00:00.000Z' });
    expect(input).toEqual({ to: 'a', when: new Date(0), tries: 1 });
  });

  test('is refused with every wrong field', async () => {
    await expect(checkInput(task, { to: 1, cc: 'b' })).rejects.toMatchObject({
      type: 'InvalidInput',
      issues: expect.arrayContaining([
        { path: 'input.to', message: expect.any(String) },
        { path: 'input.cc', message: 'is not a known field' },
      ]),
    });
  });

  test('is refused when it is too large or not JSON', async () => {
    await expect(checkInput(task, { to: 'x'.repeat(300_000) })).rejects.toMatchObject({ type: 'TooLarge' });
    await expect(checkInput(task, { to: 1n })).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('cannot be written as JSON'),
    });
  });

  test('is empty for a task without a schema', async () => {
    const none = defineTask({ name: 'none', registry: createRegistry() }, noop);
    expect(await checkInput(none, undefined)).toEqual({ sent: undefined, input: undefined });
    await expect(checkInput(none, { some: 'thing' })).rejects.toMatchObject({ type: 'InvalidInput' });
  });
});
