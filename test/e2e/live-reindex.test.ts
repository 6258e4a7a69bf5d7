import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReembedError } from '../../src/contract/errors.ts';
import { listAliases } from '../../src/store/aliases.ts';
import { resolveIndex } from '../../src/store/indexes.ts';
import { streamObjects } from '../../src/store/objects.ts';
import { listLocks } from '../../src/store/protocol/locks.ts';
import { compareIndexes } from '../../src/store/protocol/verify.ts';
import { listFailed } from '../../src/store/staging.ts';
import { onBothDatabases } from '../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../support/rig.ts';

const destModel = (dimensions: number) => ({ provider: 'hash', name: 'hash-v1', dimensions }) as const;
const items = (count: number, prefix = 'k') =>
  Array.from({ length: count }, (_, at) => ({
    id: `${prefix}${String(at).padStart(4, '0')}`,
    payload: `text ${at} of ${prefix}`,
  }));

onBothDatabases((database) => {
  let environment: TestWorkflowEnvironment;
  let rig: Rig;
  let refuse: ((texts: readonly string[]) => ReembedError | undefined) | undefined;
  let names = 0;

  beforeAll(async () => {
    environment = await startTemporal('dev');
    rig = await startRig({
      environment,
      db: database().db,
      embedder: (_config, usual) => ({
        ...usual,
        async embed(texts, options) {
          const error = refuse?.(texts);
          if (error) throw error;
          return usual.embed(texts, options);
        },
      }),
    });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
  });

  async function givenObjects(count: number) {
    const no = ++names;
    const [source, dest, alias] = [`source-${no}`, `dest-${no}`, `alias-${no}`];
    await givenIndex(database().db, source, { alias });
    const loaded = await rig.run('upsert', { index: alias, items: items(count) });
    expect(loaded.data).toMatchObject({ written: count });
    return { source, dest, alias };
  }
  async function served(alias: string) {
    const { db } = database();
    const objects = new Map<string, { version: number; payload: unknown }>();
    for await (const { id, version, payload } of streamObjects(db, await resolveIndex(db, alias))) {
      objects.set(id, { version, payload });
    }
    return objects;
  }

  test('writes and deletes made while an index is rebuilt are all in the new one, and nothing comes back', async () => {
    const { source, dest, alias } = await givenObjects(600);
    const handle = await rig.start('reindex', {
      source: alias,
      dest,
      destModel: destModel(16),
      ratePerSecond: 300,
      batchSize: 50,
    });
    const expected = new Map([...(await served(alias))].map(([id, { payload }]) => [id, payload as string | null]));
    let forwarded = 0;
    const writing = (async () => {
      for (let turn = 0; (await handle.describe()).status.name === 'RUNNING'; turn++) {
        const [change, gone, added] = [
          `k${String((turn * 37) % 300).padStart(4, '0')}`,
          `k${String(300 + turn).padStart(4, '0')}`,
          `new${turn}`,
        ];
        const written = await rig.run('upsert', {
          index: alias,
          items: [
            { id: change, payload: `changed in turn ${turn}` },
            { id: added, payload: `added in turn ${turn}` },
          ],
        });
        const deleted = await rig.run('delete', { index: alias, ids: [gone] });
        expect([written.status, deleted.status]).toEqual(['done', 'done']);
        forwarded += Number(written.data.forwarded) + Number(deleted.data.forwarded);
        expected.set(change, `changed in turn ${turn}`).set(added, `added in turn ${turn}`).set(gone, null);
      }
    })();
    expect(await endOf(handle)).toMatchObject({ status: 'done' });
    await writing;
    expect((await listAliases(database().db)).find((row) => row.alias === alias)).toEqual({ alias, index: dest });
    expect(forwarded).toBeGreaterThan(0);
    const now = await served(alias);
    const wrong = [...expected].filter(([id, payload]) => (now.get(id)?.payload ?? null) !== payload);
    expect(wrong).toEqual([]);
    expect(now.size).toBe([...expected.values()].filter((payload) => payload !== null).length);
    const { db } = database();
    const [from, to] = [await resolveIndex(db, source), await resolveIndex(db, dest)];
    expect(await compareIndexes(db, { sourceNo: from.no, destNo: to.no }, Number.MAX_SAFE_INTEGER)).toMatchObject({
      behind: 0,
      withoutParts: 0,
      orphanedParts: 0,
    });
  });

  test('a terminated reindex leaves a lock that expires; the next one waits until then and takes it over', async () => {
    const { dest, alias } = await givenObjects(60);
    const slow = { ratePerSecond: 5, batchSize: 5, lockSeconds: 10 };
    const killed = await rig.start('reindex', { source: alias, dest, destModel: destModel(16), ...slow });
    await trackerWhen(killed, ({ data }) => data.phase === 'copy');
    await killed.terminate('to see what happens');
    expect(await listLocks(database().db)).toMatchObject([{ taskId: killed.workflowId }]);
    const next = await rig.start('reindex', { source: alias, dest, destModel: destModel(16), waitSeconds: 2 });
    expect(await trackerWhen(next, ({ status }) => status === 'waiting')).toMatchObject({
      data: { conflict: 'source-locked-as-source' },
    });
    expect(await endOf(next)).toMatchObject({ status: 'done', attempts: 1 });
    expect(await listLocks(database().db)).toEqual([]);
    expect((await served(alias)).size).toBe(60);
  });

  test('an attempt does not copy again what an earlier one has copied', async () => {
    const { dest, alias } = await givenObjects(120);
    const first = await rig.start('reindex', {
      source: alias,
      dest,
      destModel: destModel(16),
      ratePerSecond: 40,
      batchSize: 20,
    });
    await trackerWhen(first, ({ data }) => Number(data.copied) > 0);
    await first.signal('cancel');
    expect(await endOf(first)).toMatchObject({ status: 'canceled' });
    const second = await rig.run('reindex', { source: alias, dest });
    expect(second.status).toBe('done');
    expect(Number(second.data.copied)).toBeLessThan(120);
    expect((await served(alias)).size).toBe(120);
  });

  test('a poisoned object at the very start of a batch fails alone', async () => {
    const { dest, alias } = await givenObjects(40);
    const rejected = new ReembedError('ModelRejectedInput', 'the provider answers 400');
    refuse = (texts) => (texts.some((text) => /^text 0 of/.test(text)) ? rejected : undefined);
    const handle = await rig.start('reindex', { source: alias, dest, destModel: destModel(16), maxFailed: 1 });
    expect(await endOf(handle)).toMatchObject({ status: 'done', data: { copied: 39, failed: 1 } });
    expect(await listFailed(database().db, handle.workflowId, { after: null, limit: 10 })).toMatchObject([
      { objectId: 'k0000', stage: 'embed', reason: 'ModelRejectedInput' },
    ]);
    refuse = undefined;
  });

  test('a provider that asks to slow down for a while uses up no attempt', async () => {
    const { dest, alias } = await givenObjects(40);
    const untilMs = Date.now() + 2_500;
    refuse = () =>
      Date.now() < untilMs ? new ReembedError('ModelRateLimited', 'slow down', { retryAfterMs: 200 }) : undefined;
    const tracker = await rig.run('reindex', { source: alias, dest, destModel: destModel(16) });
    expect(tracker).toMatchObject({ status: 'done', attempts: 1, errors: [], data: { copied: 40, failed: 0 } });
    refuse = undefined;
  });

  test('a write that would not forward waits for the end of the reindex, or is refused', async () => {
    const { dest, alias } = await givenObjects(40);
    const handle = await rig.start('reindex', {
      source: alias,
      dest,
      destModel: destModel(16),
      ratePerSecond: 5,
      batchSize: 5,
    });
    await trackerWhen(handle, ({ data }) => data.phase === 'copy');
    const refused = await rig.run('upsert', { index: alias, items: items(1, 'refused'), onReindex: 'refuse' });
    expect(refused).toMatchObject({ status: 'refused', detail: expect.stringContaining(handle.workflowId) });
    const waiting = await rig.start('upsert', { index: alias, items: items(1, 'waited'), onReindex: 'wait' });
    await trackerWhen(waiting, ({ status }) => status === 'waiting');
    await handle.signal('throttle', null);
    await handle.signal('cancel');
    await endOf(handle);
    await waiting.signal('restart');
    expect(await endOf(waiting)).toMatchObject({ status: 'done', data: { written: 1 } });
    expect((await served(alias)).has('refused0000')).toBe(false);
  });
});
