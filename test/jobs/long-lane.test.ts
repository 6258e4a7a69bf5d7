import { setTimeout as delay } from 'node:timers/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { OnDuplicate } from '../../src/contract/jobs.ts';
import { createRegistry, defineTask } from '../../src/jobs/index.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { type Rig, startRig, startTemporal } from '../support/rig.ts';

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let rig: Rig;
const ran: number[] = [];
let held = false;

async function start(dynamicConfig: string) {
  [environment, database] = await Promise.all([
    startTemporal('dev', { dynamicConfig: [dynamicConfig] }),
    openPostgresDatabase(),
  ]);
  ran.length = 0;
  const registry = createRegistry();
  const input = z.int();
  const task = defineTask({ registry, name: 'numbered', input, key: () => 'one', bind: true }, async (bound, value) => {
    ran.push(value);
    while (held) await delay(20, undefined, { signal: bound.signal });
  });
  rig = await startRig({ environment, db: database.db, jobs: { registry } });
  return async (onDuplicate: OnDuplicate, count: number, first = 0) =>
    Promise.all(Array.from({ length: count }, (_, at) => task.applyAsync(first + at, { onDuplicate })));
}
afterEach(async () => {
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

/** Number of runs that the lane has had. */
async function laneRuns(): Promise<number> {
  let runs = 0;
  for await (const _ of environment.client.workflow.list({ query: `WorkflowType = 'jobLane'` })) runs++;
  return runs;
}

describe('a lane that continues as a new run', () => {
  test('loses no job when its history has grown, and runs none twice or in parallel with another', async () => {
    const send = await start('limit.historyCount.suggestContinueAsNew=60');
    held = true;
    const sending = [send('serial', 30), send('serial', 30, 30)];
    await delay(1_000);
    held = false;
    const sent = (await Promise.all([...sending, send('serial', 20, 60)])).flat();
    const ended = await Promise.all(sent.map((job) => job.wait()));
    expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(['done']));
    expect([...ran].sort((left, right) => left - right)).toEqual(Array.from({ length: 80 }, (_, at) => at));
    expect(await laneRuns()).toBeGreaterThan(3);
  }, 120_000);

  test('answers all jobs at the server’s limit of updates per run, and reports all duplicates', async () => {
    // Default: 2000.
    const send = await start('history.maxTotalUpdates=40');
    held = true;
    const [first] = await send('discard', 1);
    const discarded = await send('discard', 150, 1);
    const [second] = await send('queue_one', 1, 1_000);
    const duplicates = await send('queue_one', 100, 2_000);
    held = false;
    expect(new Set(discarded.map(({ tracker }) => tracker.data.duplicateOf))).toEqual(new Set([first?.id]));
    expect(new Set(duplicates.map(({ tracker }) => tracker.data.duplicateOf))).toEqual(new Set([second?.id]));
    await Promise.all([first?.wait(), second?.wait()]);
    expect(ran).toEqual([0, 1_000]);
    expect(await laneRuns()).toBeGreaterThan(3);
  }, 120_000);
});
