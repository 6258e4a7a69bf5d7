import { expect, test } from 'vitest';
import type { CallLimiter } from '../../src/models/limited.ts';
import { openWhenAway } from '../../src/runtime/open-limiter.ts';

const COST = { requestMs: 1, tokensMs: 1, burstMs: 1 };

function limiterThat(ask: () => Promise<never>): { limiter: CallLimiter; asked: () => number } {
  let asked = 0;
  const counting = () => {
    asked++;
    return ask();
  };
  return { limiter: { book: counting, pause: counting, pauseOf: counting }, asked: () => asked };
}

test('calls of a model pass while the database with its limits is away, which is asked only now and then', async () => {
  const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  const { limiter, asked } = limiterThat(() => Promise.reject(refused));
  const told: unknown[] = [];
  const open = openWhenAway(limiter, (error) => told.push(error));
  expect(await open.book('openai/a', COST, null)).toEqual({ isBooked: true, waitMs: 0, pausedMs: 0 });
  expect(await open.pauseOf('openai/a')).toBe(0);
  await open.pause('openai/a', 1_000);
  expect(asked()).toBe(1);
  expect(told).toEqual([refused]);
});

test('calls of a model pass if that database is silent', async () => {
  const { limiter } = limiterThat(() => new Promise(() => {}));
  const open = openWhenAway(limiter, () => {});
  expect(await open.book('openai/a', COST, null)).toMatchObject({ isBooked: true });
});

test('another error of that database is an error of the call', async () => {
  const { limiter } = limiterThat(() => Promise.reject(new Error('a defect')));
  await expect(openWhenAway(limiter, () => {}).book('openai/a', COST, null)).rejects.toThrow('a defect');
});
