import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Embedder } from '../../src/contract/embedder.ts';
import { ReembedError } from '../../src/contract/errors.ts';
import { QUERY } from '../../src/contract/names.ts';
import type { Tracker } from '../../src/contract/tasks.ts';
import { watchOf } from '../../src/contract/watch.ts';
import { listAliases } from '../../src/store/aliases.ts';
import { findIndex } from '../../src/store/indexes.ts';
import { getObject } from '../../src/store/objects.ts';
import { listLocks } from '../../src/store/protocol/locks.ts';
import { addWatchCounts } from '../../src/store/watch-counts.ts';
import { askRollBack } from '../../src/temporal/tasks/roll-back.ts';
import { workflowBundle } from '../support/bundle.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { replay } from '../support/replay.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../support/rig.ts';

// The longest one waits for more than a minute on an idle machine.
vi.setConfig({ testTimeout: 480_000 });

const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;
const rollBackIf = { emptyShare: 0.1, errorShare: 0.02 };

interface Place {
  environment: TestWorkflowEnvironment;
  db: TestDatabase['db'];
  rig: () => Rig;
}

let names = 0;

/** A reindex that has switched, and whose new index is watched. */
async function givenWatched(
  { environment, db, rig }: Place,
  { dimensions = 32, ...options }: { lockSeconds?: number; dimensions?: number } = {},
) {
  const no = ++names;
  const [source, dest, alias] = [`source-${no}`, `dest-${no}`, `alias-${no}`];
  await givenIndex(db, source, { alias, config: { model: { provider: 'hash', dimensions } } });
  await rig().run('upsert', { index: alias, items: [{ id: 'x', payload: 'the text of x' }] });
  const retire = { after: '20m', keepCurrent: true };
  const watch = { for: '10m', rollBackIf };
  const handle = await rig().start('reindex', {
    ...{ source: alias, dest, destModel, retire, watch, lockSeconds: 86_400, ...options },
  });
  expect(await endOf(handle)).toMatchObject({ status: 'done' });
  const keeper = environment.client.workflow.getHandle(`${handle.workflowId}/retire/1`);
  const servedBy = async () => (await listAliases(db)).find((row) => row.alias === alias)?.index ?? null;
  /** Counts searches of the new index, as the API does. */
  const count = async (counts: { answered: number; empty?: number; failed?: number }) => {
    const lock = (await listLocks(db)).find(({ taskId }) => taskId === keeper.workflowId)?.lock;
    if (lock === undefined) throw new Error(`${keeper.workflowId} keeps nothing current`);
    await addWatchCounts(db, lock, new Map(Object.entries(counts)));
  };
  return { source, dest, alias, keeper, servedBy, count };
}

const trackerOf = (handle: WorkflowHandle) => handle.query<Tracker>(QUERY.tracker);

describe('a watch, by a clock that runs ahead', () => {
  const histories: { workflowId: string; history: Awaited<ReturnType<WorkflowHandle['fetchHistory']>> }[] = [];
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;
  let oldModelDownUntilMs = 0;
  let place: Place;

  beforeAll(async () => {
    database = await openPostgresDatabase();
  });
  // A server for each test: after the first one, the clock of the same server did not run ahead any more.
  beforeEach(async () => {
    environment = await startTemporal('time-skipping');
    const embedder = (_config: unknown, usual: Embedder): Embedder => ({
      ...usual,
      embed: async (texts, options) => {
        const isDown = usual.dimensions !== destModel.dimensions && oldModelDownUntilMs > 0;
        if (isDown && (await environment.currentTimeMs()) < oldModelDownUntilMs)
          throw new ReembedError('ModelUnavailable', 'the old model is down');
        return usual.embed(texts, options);
      },
    });
    rig = await startRig({ environment, db: database.db, embedder });
    place = { environment, db: database.db, rig: () => rig };
  });
  afterEach(async () => {
    await rig?.stop();
    await environment?.teardown();
  });
  afterAll(() => database?.close());

  const keep = async (handle: WorkflowHandle) => {
    const history = await handle.fetchHistory();
    const events = history.events ?? [];
    const begun = events.filter((event) => event.activityTaskScheduledEventAttributes).length;
    const ended = events.filter(
      (event) =>
        event.activityTaskCompletedEventAttributes ??
        event.activityTaskFailedEventAttributes ??
        event.activityTaskCanceledEventAttributes,
    ).length;
    expect(ended, 'no activity outlives its task').toBe(begun);
    histories.push({ workflowId: handle.workflowId, history });
  };

  test('rolls back once when a bound is exceeded, says which, and deletes nothing', async () => {
    const { source, dest, keeper, servedBy, count } = await givenWatched(place);
    await count({ answered: 100, empty: 40 });
    const tracker = await endOf(keeper);
    expect(tracker).toMatchObject({
      status: 'done',
      detail: expect.stringContaining('both are kept'),
      data: {
        rollBack: {
          from: dest,
          to: source,
          by: 'watch',
          reason: expect.stringContaining('emptyShare 0.4 exceeds 0.1'),
        },
        watch: { verdict: 'rolled-back', searches: 100, emptyShare: 0.4, errorShare: 0, problem: null },
      },
    });
    expect(tracker.steering).toMatchObject([{ call: 'roll-back', by: 'watch' }]);
    expect(await servedBy()).toBe(source);
    expect(await findIndex(database.db, dest)).toMatchObject({ state: 'active' });
    await keep(keeper);
  });

  test('ends when its time is over and nothing was exceeded, and the old index is deleted as planned', async () => {
    const { source, dest, keeper, servedBy, count } = await givenWatched(place);
    await count({ answered: 99, empty: 10, failed: 2 });
    expect(await endOf(keeper)).toMatchObject({
      ...{ status: 'done', detail: `${source} is deleted` },
      data: { watch: { verdict: 'passed', searches: 101, why: 'watched 10m: nothing exceeded' } },
    });
    expect(await servedBy()).toBe(dest);
    await keep(keeper);
  });

  test('decides nothing with too few searches, however bad they are', async () => {
    const { dest, keeper, servedBy, count } = await givenWatched(place);
    await count({ answered: 0, failed: 99 });
    const { data } = await endOf(keeper);
    expect(data.watch).toMatchObject({
      ...{ verdict: 'too-few-searches', searches: 99, errorShare: 1 },
      why: 'watched 10m: 99 searches are too few, 100 are needed',
    });
    expect(await servedBy()).toBe(dest);
  });

  test('tries a roll back that failed again, and keeps the old index past its time until it succeeds', async () => {
    const { source, alias, keeper, servedBy, count } = await givenWatched(place);
    oldModelDownUntilMs = (await environment.currentTimeMs()) + 25 * 60_000;
    await rig.run('upsert', { index: alias, items: [{ id: 'y', payload: 'the text of y' }] });
    await count({ answered: 100, failed: 100 });
    expect(await endOf(keeper)).toMatchObject({
      ...{ status: 'done', detail: expect.stringContaining('both are kept') },
      data: { watch: { verdict: 'rolled-back', why: expect.stringContaining('errorShare 0.5 exceeds 0.02') } },
    });
    expect(await environment.currentTimeMs()).toBeGreaterThan(oldModelDownUntilMs);
    expect(await servedBy()).toBe(source);
    const row = await findIndex(database.db, source);
    expect(row && (await getObject(database.db, row, 'y'))).toMatchObject({ payload: 'the text of y' });
  });

  // At the end, since the worker of a replay disturbs the one that runs.
  test('is replayed from the histories of its tasks', async () => {
    const results = await replay(await workflowBundle(), histories);
    expect(results).toHaveLength(2);
    expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
  });
});

/** Dimensions of a model that can be down; the tests run together, since they wait up to a minute. */
const FRAIL = 24;

describe.concurrent('a watch, by a real clock', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;
  let place: Place;
  let isOldModelDown = false;

  beforeAll(async () => {
    const dynamicConfig = ['limit.historyCount.suggestContinueAsNew=60'];
    [environment, database] = await Promise.all([startTemporal('dev', { dynamicConfig }), openPostgresDatabase()]);
    const embedder = (_config: unknown, usual: Embedder): Embedder => ({
      ...usual,
      embed: async (texts, options) => {
        if (isOldModelDown && usual.dimensions === FRAIL)
          throw new ReembedError('ModelUnavailable', 'the old model is down');
        return usual.embed(texts, options);
      },
    });
    rig = await startRig({ environment, db: database.db, embedder, settings: { maxConcurrentReindexes: 10 } });
    place = { environment, db: database.db, rig: () => rig };
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });

  const isWatching = ({ data }: Tracker) => watchOf(data) !== undefined;

  test('ends with a roll back by someone else, and does not begin again after a roll forward', async () => {
    const { source, dest, keeper, servedBy, count } = await givenWatched(place);
    await trackerWhen(keeper, isWatching);
    const turn = async (index: string) => {
      const toNo = (await findIndex(database.db, index))?.no ?? 0;
      return askRollBack(environment.client, keeper.workflowId, { toNo, by: 'ada', reason: 'worse answers' });
    };
    await turn(source);
    const why = `rolled back from ${dest} to ${source} by ada`;
    expect((await trackerOf(keeper)).data.watch).toMatchObject({ verdict: 'ended', why });
    await turn(dest);
    await count({ answered: 100, empty: 100 });
    expect((await trackerOf(keeper)).data.watch).toMatchObject({ verdict: 'ended', why });
    expect(await servedBy()).toBe(dest);
    await keeper.signal('cancel');
    await endOf(keeper);
  });

  test('ends with a cancel of its task', async () => {
    const { keeper } = await givenWatched(place);
    await trackerWhen(keeper, isWatching);
    await keeper.signal('cancel');
    expect(await endOf(keeper)).toMatchObject({
      status: 'canceled',
      data: { watch: { verdict: 'ended', why: 'its task was ended' } },
    });
  });

  test('says until when it watches, and why a roll back failed', async () => {
    const { source, dest, alias, keeper, servedBy, count } = await givenWatched(place, { dimensions: FRAIL });
    expect(await trackerWhen(keeper, ({ detail }) => detail.includes('watching until'))).toMatchObject({
      ...{ status: 'waiting', detail: expect.stringMatching(/; until then it is kept current; watching until 20.*Z$/) },
      data: { watch: { verdict: 'too-few-searches', rollBackIf: { ...rollBackIf, minSearches: 100 } } },
    });
    isOldModelDown = true;
    try {
      await rig.run('upsert', { index: alias, items: [{ id: 'y', payload: 'the text of y' }] });
      await count({ answered: 100, failed: 100 });
      const failed = await trackerWhen(keeper, ({ data }) => watchOf(data)?.problem?.startsWith('the roll') ?? false);
      expect(failed).toMatchObject({
        detail: expect.stringMatching(
          /; errorShare 0.5 exceeds 0.02; .*; the roll back failed: .*; it is tried again; /,
        ),
        ...{ steering: [], data: { watch: { verdict: 'exceeded' } } },
      });
      expect(await servedBy()).toBe(dest);
    } finally {
      isOldModelDown = false;
    }
    await trackerWhen(keeper, ({ data }) => watchOf(data)?.verdict === 'rolled-back');
    expect(await servedBy()).toBe(source);
    await keeper.signal('cancel');
    await endOf(keeper);
  });

  test('continues through new runs, also while its task is paused', async () => {
    const { source, keeper, servedBy, count } = await givenWatched(place, { lockSeconds: 10 });
    const first = await trackerWhen(keeper, isWatching);
    const later = await trackerWhen(keeper, (now) => now.links.runId !== first.links.runId && isWatching(now));
    expect(watchOf(later.data)).toMatchObject({ untilTime: watchOf(first.data)?.untilTime });
    await keeper.signal('pause');
    await count({ answered: 90, failed: 10 });
    const rolledBack = await trackerWhen(keeper, ({ data }) => watchOf(data)?.verdict === 'rolled-back');
    expect(rolledBack.data.rollBack).toMatchObject({ to: source, by: 'watch' });
    expect(await servedBy()).toBe(source);
    await keeper.signal('cancel');
    await endOf(keeper);
  });
});
