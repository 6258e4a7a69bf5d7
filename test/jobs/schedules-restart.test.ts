import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { SEARCH_ATTRIBUTES } from '../../src/contract/names.ts';
import { createRegistry, defineTask, type Schedule } from '../../src/jobs/index.ts';
import { startTemporalDevServer, type TemporalDevServer } from '../../src/runtime/servers/temporal.ts';
import { getTracker } from '../../src/temporal/index.ts';
import { freshFolder } from '../runtime/servers/fixtures/folder.ts';
import { openPostgresDatabase } from '../support/databases.ts';
import { type Rig, startRig } from '../support/rig.ts';

const within = { timeout: 90_000, interval: 200 };
const TASK_QUEUE = 'restarted';
/** Longer than the shortest catch-up window of Temporal. */
const AWAY_MS = 14_000;

test('schedules survive a stop of the server and all workers; missed runs run late, within catchUp', async () => {
  const database = await openPostgresDatabase();
  const options = {
    dbFilename: path.join(freshFolder(), 'temporal.db'),
    searchAttributes: SEARCH_ATTRIBUTES,
    env: process.env,
    say: () => {},
  };
  let running: { server: TemporalDevServer; environment: TestWorkflowEnvironment; rig: Rig } | undefined;

  /** Starts everything as a new process would. */
  async function start() {
    const registry = createRegistry();
    const tick = defineTask({ name: 'tick', registry }, () => {});
    const server = await startTemporalDevServer(options);
    const environment = await TestWorkflowEnvironment.createFromExistingServer({ address: server.address });
    const rig = await startRig({ environment, db: database.db, taskQueue: TASK_QUEUE, jobs: { registry } });
    running = { server, environment, rig };
    return { tick, client: environment.client };
  }
  async function stop(how: 'stop' | 'kill') {
    await running?.rig.stop();
    await running?.environment.teardown();
    await running?.server[how]();
    running = undefined;
  }
  onTestFinished(async () => {
    await stop('stop');
    await database.close();
  });

  const first = await start();
  const all = { overlap: 'allow_all' } as const;
  await first.tick.schedule('patient').put('2s', undefined, { ...all, catchUp: '1h', note: 'all of them' });
  await first.tick.schedule('strict').put('2s', undefined, { ...all, catchUp: '10s' });
  await first.tick.schedule('held').put('2s', undefined, { paused: true });
  const started = ({ counts }: Schedule) => expect(counts.started).toBeGreaterThan(0);
  await vi.waitFor(async () => started(await first.tick.schedule('patient').info()), within);
  await vi.waitFor(async () => started(await first.tick.schedule('strict').info()), within);
  await stop('kill');
  const goneMs = Date.now();
  await delay(AWAY_MS);

  const backMs = Date.now();
  const second = await start();
  /** Every run that a schedule has started, as the lists of workflows show it. */
  async function runsOf(schedule: Schedule) {
    const runs = [];
    for await (const run of second.client.workflow.list({ query: `TemporalScheduledById = '${schedule.id}'` })) {
      const [due] = run.searchAttributes.TemporalScheduledStartTime ?? [];
      runs.push({ taskId: run.workflowId, dueMs: Number(due), startMs: run.startTime.getTime() });
    }
    return runs.sort((left, right) => left.dueMs - right.dueMs);
  }
  // A server that has just started catches up first.
  const patient = await vi.waitFor(() => second.tick.schedule('patient').info(), within);
  const runs = await vi.waitFor(async () => {
    const found = await runsOf(patient);
    expect(found.at(-1)?.dueMs).toBeGreaterThan(Date.now() - 5_000);
    expect(found.length).toBeGreaterThan(AWAY_MS / 2_000);
    return found;
  }, within);
  // None is missing: runs that were due while the server was away started when it was back, and none started early.
  expect(runs.slice(1).map(({ dueMs }, at) => dueMs - (runs[at]?.dueMs ?? 0))).toEqual(runs.slice(1).map(() => 2_000));
  for (const { dueMs, startMs } of runs) expect(startMs).toBeGreaterThanOrEqual(dueMs);
  const late = runs.filter(({ dueMs }) => dueMs > goneMs && dueMs < backMs);
  expect(late.length).toBeGreaterThanOrEqual(AWAY_MS / 2_000 - 1);
  for (const { taskId, startMs, dueMs } of late) {
    expect(startMs).toBeGreaterThan(backMs);
    await vi.waitFor(async () => {
      const dueTime = new Date(dueMs).toISOString();
      expect(await getTracker(second.client, taskId)).toMatchObject({ status: 'done', data: { dueTime } });
    }, within);
  }
  expect(patient).toMatchObject({ note: 'all of them', counts: { missed: 0 } });
  const strict = await second.tick.schedule('strict').info();
  expect(strict.counts.missed).toBeGreaterThan(0);
  expect(await second.tick.schedule('held').info()).toMatchObject({ paused: true, counts: { started: 0 } });
}, 240_000);
