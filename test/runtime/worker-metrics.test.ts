import http from 'node:http';
import { Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { freePort } from '../../src/runtime/servers/ports.ts';
import { showWorkerMetrics } from '../../src/runtime/worker-metrics.ts';

it('the metrics of a worker are served only for its own host names', async () => {
  // The process may have started Temporal's runtime for another file; its metrics are an option of the start.
  await Runtime.instance().shutdown();
  onTestFinished(() => Runtime.instance().shutdown());
  const stops: (() => unknown)[] = [];
  onTestFinished(async () => {
    for (const stop of stops) await stop();
  });
  const log = pino({ enabled: false });
  const port = await freePort('127.0.0.1', 0);
  await showWorkerMetrics(
    { add: (_name: string, stop: () => unknown) => stops.push(stop) } as never,
    { address: { host: '127.0.0.1', port }, allowedHosts: ['metrics.example'], metrics: createMetrics(['worker']) },
    { log } as never,
  );
  const status = (host: string) =>
    new Promise((resolve, reject) => {
      http
        .get({ port, path: '/metrics', headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
        .on('error', reject);
    });
  expect(await status(`localhost:${port}`)).toBe(200);
  expect(await status('metrics.example')).toBe(200);
  expect(await status(`evil.example:${port}`)).toBe(421);
  expect(await status(`10.1.2.3:${port}`)).toBe(421);
});
