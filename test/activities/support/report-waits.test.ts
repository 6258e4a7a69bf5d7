import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { createWaitReports } from '../../../src/activities/support/report-waits.ts';

test('an activity that runs for long reports what it waited for since its last report, and not more often than it should', async () => {
  const signals: unknown[][] = [];
  const getHandle = () => ({ signal: async (...args: unknown[]) => void signals.push(args) });
  const client = { workflow: { getHandle } } as unknown as Client;
  const now = { ranMs: 0, liveMs: 0, rateMs: 0, modelMs: 0 };
  await new MockActivityEnvironment().run(async () => {
    const reports = createWaitReports(client, { read: () => ({ ...now }) }, 1_000);
    for (const [ranMs, liveMs] of [
      [900, 800],
      [1_100, 900],
      [2_000, 1_500],
      [3_100, 1_600],
    ] as const) {
      Object.assign(now, { ranMs, liveMs });
      reports.report();
    }
    await reports.end();
  });
  const none = { rateMs: 0, modelMs: 0, workerMs: 0 };
  expect(signals).toEqual([
    ['step-waits', { ranMs: 1_100, liveMs: 900, ...none }],
    ['step-waits', { ranMs: 2_000, liveMs: 700, ...none }],
  ]);
});
