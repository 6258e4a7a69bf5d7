import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { CliProcess } from '../cli/support.ts';
import { builtMain } from '../support/build.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openPostgresDatabase();
});
afterAll(() => database?.close());

/** An API in its own process, which starts without Temporal. */
async function startApi(env: Record<string, string>) {
  const common = { TEMPORAL_ADDRESS: '127.0.0.1:1', REEMBED_PORT: '0', DATABASE_URL: database.url };
  const api = new CliProcess(['api', '--json'], { ...common, ...env }, [builtMain()]);
  onTestFinished(() => void api.child.kill('SIGKILL'));
  const [, url = ''] = await api.prints(/"api":"([^"]+)"/);
  const ask = async (path: string) => {
    const answer = await fetch(`${url}${path}`);
    const { type } = (await answer.json()) as { type?: string };
    return [answer.status, type, answer.headers.get('connection')];
  };
  return { api, ask, url };
}

test('an API that is stopped announces it before it closes, and answers all requests until then', async () => {
  const { api, ask, url } = await startApi({ REEMBED_DRAIN_SECONDS: '4', REEMBED_SHUTDOWN_SECONDS: '1' });
  expect(await ask('/readyz')).toEqual([503, 'urn:reembed:error:TemporalUnavailable', 'keep-alive']);
  expect(await ask('/v1/indexes')).toEqual([200, undefined, 'keep-alive']);

  const ended = api.ends('SIGTERM');
  await api.prints(/SIGTERM: stopping/);
  expect(await ask('/readyz')).toEqual([503, 'urn:reembed:error:Stopping', 'close']);
  expect(await ask('/healthz')).toEqual([200, undefined, 'close']);
  expect(await ask('/v1/indexes')).toEqual([200, undefined, 'close']);
  expect(await ended).toBe(0);
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
});

test('a second signal ends a process immediately, whatever it still waits for', async () => {
  const { api } = await startApi({ REEMBED_DRAIN_SECONDS: '600' });
  api.child.kill('SIGTERM');
  await api.prints(/SIGTERM: stopping \(repeat to stop immediately\)/);
  await sleep(1_100); // the same signal within a second comes from a parent that passes it on
  expect(await api.ends('SIGTERM')).toBe(130);
});
