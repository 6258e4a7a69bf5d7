import { expect, test } from 'vitest';
import { ReembedError } from '../../src/contract/errors.ts';
import { createLogger } from '../../src/runtime/logging.ts';
import { retryUntil } from '../../src/runtime/retry-until.ts';
import { startTemporalDevServer } from '../../src/runtime/servers/temporal.ts';
import { connectTemporal } from '../../src/runtime/temporal-connection.ts';
import { readSettings } from '../../src/settings/settings.ts';
import { createTemporalClient } from '../../src/temporal/connect.ts';

const log = createLogger(readSettings({ REEMBED_LOG_LEVEL: 'silent' }));
const temporalAt = (address: string, namespace = 'default') =>
  readSettings({ TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, HOME: '/nonexistent' }).temporal;

test('a worker prints one line while it waits for Temporal, and gives up with its address', async () => {
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  const connecting = connectTemporal(temporalAt('127.0.0.1:1'), log, { waitMs: 1_500, say });
  await expect(connecting).rejects.toMatchObject({
    type: 'TemporalUnavailable',
    message: 'Temporal at 127.0.0.1:1 does not answer: Connection refused',
  });
  expect(said).toEqual(['Temporal at 127.0.0.1:1 does not answer: Connection refused; waiting for it']);
});

test('a namespace gets the search attributes once; a missing one is reported immediately', async () => {
  const server = await startTemporalDevServer({ searchAttributes: {}, env: process.env, say: () => {} });
  const wait = { waitMs: 10_000, say: () => {} };
  try {
    for (let times = 0; times < 2; times++) {
      const connection = await connectTemporal(temporalAt(server.address), log, wait);
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
      expect(customAttributes).toMatchObject({ TaskType: 2, TaskStatus: 2, TaskIndex: 7 });
      // The client of an API in the same process shares it.
      expect(
        await createTemporalClient(connection, { namespace: 'default', encryptionKeys: [] }).workflow.count(),
      ).toMatchObject({
        count: 0,
      });
      await connection.close();
    }
    const before = Date.now();
    await expect(connectTemporal(temporalAt(server.address, 'nowhere'), log, wait)).rejects.toThrow(
      /has no namespace "nowhere": create it/,
    );
    expect(Date.now() - before).toBeLessThan(5_000);
  } finally {
    await server.stop();
  }
});

test('waiting ends at a permanent error, and on a stop', async () => {
  const refused = new ReembedError('TemporalUnavailable', 'no', { reason: 'refused' });
  const wait = { waitMs: 60_000, say: () => {} };
  await expect(retryUntil(wait, () => Promise.reject(refused))).rejects.toBe(refused);
  const controller = new AbortController();
  const away = new ReembedError('DatabaseUnavailable', 'away');
  const waiting = retryUntil({ ...wait, signal: controller.signal }, () => Promise.reject(away));
  setTimeout(() => controller.abort(), 100);
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});
