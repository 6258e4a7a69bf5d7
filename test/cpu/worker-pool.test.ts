import { expect, test } from 'vitest';
import { WorkerPool } from '../../src/cpu/worker-pool.ts';

const poolOf = (name: string, max = 1) =>
  new WorkerPool<number, number>(new URL(`./fixtures/${name}.mjs`, import.meta.url), { max });

test('a thread answers, and fails one call without affecting the next', async () => {
  const pool = poolOf('double');
  expect(await pool.run(2)).toBe(4);
  await expect(pool.run(-1)).rejects.toThrow('-1 is negative');
  expect(await Promise.all([1, 2, 3].map((value) => pool.run(value)))).toEqual([2, 4, 6]);
});

test('a signal ends a call that does not end by itself, with its reason', async () => {
  const pool = poolOf('double');
  const reason = new Error('no longer needed');
  const ended = new AbortController();
  const endless = pool.run(7, ended.signal);
  setTimeout(() => ended.abort(reason), 100);
  await expect(endless).rejects.toBe(reason);
  await expect(pool.run(2, ended.signal)).rejects.toBe(reason);
  expect(await pool.run(2)).toBe(4);
});

test('a waiting call leaves the queue when it is aborted, and runs when the call before it is aborted', async () => {
  const pool = poolOf('double');
  const [first, second] = [new AbortController(), new AbortController()];
  const all = Promise.allSettled([pool.run(7, first.signal), pool.run(2, second.signal), pool.run(3)]);
  second.abort(new Error('no longer needed'));
  setTimeout(() => first.abort(new Error('it hangs')), 100);
  const [hung, left, last] = await all;
  expect(hung).toMatchObject({ status: 'rejected', reason: { message: 'it hangs' } });
  expect(left).toMatchObject({ status: 'rejected', reason: { message: 'no longer needed' } });
  expect(last).toEqual({ status: 'fulfilled', value: 6 });
});

test('a thread that dies fails its call and no other', async () => {
  const pool = poolOf('double');
  const all = await Promise.allSettled([pool.run(13), pool.run(3)]);
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});

test('a module that cannot be loaded fails all calls instead of letting them wait', async () => {
  const pool = poolOf('broken');
  const all = await Promise.allSettled([1, 2, 3].map((value) => pool.run(value)));
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
});
