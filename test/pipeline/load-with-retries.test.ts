import { expect, test } from 'vitest';
import { ReembedError } from '../../src/contract/errors.ts';
import { loadWithRetries } from '../../src/pipeline/load-with-retries.ts';
import { rejectionOf } from './support.ts';

/** Fails with each of `errors` in turn, then loads; records the waits in between. */
function failing(errors: ReembedError[]) {
  const waits: number[] = [];
  let calls = 0;
  const load = async () => {
    const error = errors[calls];
    calls += 1;
    if (error) throw error;
    return 'loaded';
  };
  const sleep = async (ms: number) => void waits.push(ms);
  return { load, sleep, waits, calls: () => calls };
}
const transient = (retryAfterMs?: number) => new ReembedError('LoadFailed', 'answers 503', { retryAfterMs });

test('a retry waits twice as long each time, up to half a minute', async () => {
  const { load, sleep, waits } = failing(Array.from({ length: 9 }, () => transient()));
  expect(await loadWithRetries(load, { attempts: 10, sleep })).toBe('loaded');
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test('a retry waits as long as the server asks, unless that would delay the batch too long', async () => {
  const { load, sleep, waits } = failing([transient(7_000), transient(100), transient(3_600_000)]);
  expect((await rejectionOf(loadWithRetries(load, { attempts: 10, sleep }), 'LoadFailed')).retryAfterMs).toBe(
    3_600_000,
  );
  expect(waits).toEqual([7_000, 1_000]);
});

test('a load gives up after the last attempt without another wait', async () => {
  const { load, sleep, waits, calls } = failing(Array.from({ length: 9 }, () => transient()));
  await rejectionOf(loadWithRetries(load, { attempts: 3, sleep }), 'LoadFailed');
  expect([calls(), waits.length]).toEqual([3, 2]);
});

test('a load whose host name is not found gives up after five attempts', async () => {
  const cause = Object.assign(new Error('getaddrinfo EAI_AGAIN nowhere.example'), { syscall: 'getaddrinfo' });
  const unknown = new ReembedError('LoadFailed', 'could not be loaded (EAI_AGAIN)', { cause });
  const { load, sleep, waits, calls } = failing(Array.from({ length: 9 }, () => unknown));
  await rejectionOf(loadWithRetries(load, { attempts: 10, sleep }), 'LoadFailed');
  expect([calls(), waits]).toEqual([5, [500, 1_000, 2_000, 4_000]]);
});

test('a load with a permanent error is tried only once', async () => {
  const { load, sleep, calls } = failing([new ReembedError('NotFound', 'answers 404')]);
  await rejectionOf(loadWithRetries(load, { attempts: 10, sleep }), 'NotFound');
  expect(calls()).toBe(1);
});

test('a signal ends the wait with its reason', async () => {
  const { load } = failing([transient(60_000)]);
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error('shutting down')), 20);
  await expect(loadWithRetries(load, { attempts: 10, signal: controller.signal })).rejects.toThrow('shutting down');
});
