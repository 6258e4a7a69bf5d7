import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Approve } from '../../../src/contract/approval.ts';
import { phaseTimesOf } from '../../../src/contract/phase-times.ts';
import { listAliases } from '../../../src/store/aliases.ts';
import { findIndex } from '../../../src/store/indexes.ts';
import { listObjects } from '../../../src/store/objects.ts';
import { releaseLock } from '../../../src/store/protocol/lock-pair.ts';
import { listLocks } from '../../../src/store/protocol/locks.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';

const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;
let names = 0;

/** Reindexes that wait for an approval, on a Temporal server of this kind. */
function useReindexes(...temporal: Parameters<typeof startTemporal>) {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;
  beforeAll(async () => {
    [environment, database] = await Promise.all([startTemporal(...temporal), openPostgresDatabase()]);
    rig = await startRig({ environment, db: database.db });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });

  const upsert = (index: string, payloads: Record<string, string>) =>
    rig.run('upsert', { index, items: Object.entries(payloads).map(([id, payload]) => ({ id, payload })) });

  async function start(approve: Approve, change: { lockSeconds?: number } = {}) {
    const no = ++names;
    const [source, dest, alias] = [`source-${no}`, `dest-${no}`, `alias-${no}`];
    await givenIndex(database.db, source, { alias });
    await upsert(alias, { a: 'text a', b: 'text b', c: 'text c' });
    const handle = await rig.start('reindex', {
      ...{ source: alias, dest, destModel, approve, lockSeconds: 86_400 },
      ...change,
    });
    return { handle, source, dest, alias };
  }

  /** The payloads of an index by id; undefined if it does not exist. */
  async function contentOf(name: string) {
    const index = await findIndex(database.db, name);
    if (!index) return undefined;
    const { objects } = await listObjects(database.db, index, { after: null, limit: 100 });
    return Object.fromEntries(objects.map(({ id, payload }) => [id, payload]));
  }
  const servingAs = async (alias: string) => {
    return (await listAliases(database.db)).find((row) => row.alias === alias)?.index;
  };
  const locks = () => listLocks(database.db);
  return {
    start,
    upsert,
    contentOf,
    servingAs,
    locks,
    db: () => database.db,
    rig: () => rig,
    sleep: (time: string) => environment.sleep(time),
  };
}

const isOpen = ({ status, data }: { status: string; data: Record<string, unknown> }) =>
  status === 'waiting' && data.phase === 'approval';

describe('a reindex that waits for an approval, on a server whose clock runs ahead', () => {
  const { start, upsert, contentOf, servingAs, locks, db, rig, sleep } = useReindexes('time-skipping');

  test('asks again, under its new lock, when it has lost its lock while it waited', async () => {
    const { handle, source, dest, alias } = await start('manual', { lockSeconds: 60 });
    const first = await trackerWhen(handle, isOpen);
    await releaseLock(db(), first.lock ?? '');
    await sleep('1m');
    const second = await trackerWhen(handle, (tracker) => isOpen(tracker) && tracker.attempts === 2);
    expect(second.lock).not.toBe(first.lock);
    expect(second.data.approval).toMatchObject({ decision: null });
    expect(await locks()).toMatchObject([{ lock: second.lock, built: true }]);
    await handle.signal('approve');
    expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 2 });
    expect([await servingAs(alias), await contentOf(dest)]).toEqual([dest, await contentOf(source)]);
  });

  test('switches when it is approved days later, and has lost none of the writes since', async () => {
    const { handle, source, dest, alias } = await start('manual');
    const waiting = await trackerWhen(handle, isOpen);
    expect(waiting.detail).toBe(`${dest} is complete and waits for an approval`);
    expect(waiting.data.approval).toMatchObject({ deadline: null, decision: null });
    await upsert(alias, { a: 'changed at once', d: 'new' });
    expect(await servingAs(alias)).toBe(source);
    await sleep('3 days');
    await upsert(alias, { b: 'changed days later' });
    await rig().run('delete', { index: alias, ids: ['c'] });
    expect(await servingAs(alias)).toBe(source);
    await handle.signal('approve', 'better on our queries', 'ann');
    const done = await endOf(handle);
    expect(done).toMatchObject({ status: 'done', attempts: 1 });
    expect(done.data.approval).toMatchObject({
      decision: { kind: 'approve', by: 'ann', reason: 'better on our queries', isTimeout: false },
    });
    expect(done.steering[0]).toMatchObject({ call: 'approve', by: 'ann', reason: 'better on our queries' });
    expect(phaseTimesOf(done.data).approval?.seconds).toBeGreaterThan(3 * 86_400);
    expect(await servingAs(alias)).toBe(dest);
    expect(await contentOf(dest)).toEqual({ a: 'changed at once', b: 'changed days later', d: 'new' });
    expect(await locks()).toEqual([]);
  });

  test('ignores a decision that comes before the new index is complete, or after another one', async () => {
    const { handle, dest, alias } = await start('manual', {});
    await handle.signal('approve', null, 'ann');
    const tracker = await trackerWhen(handle, isOpen);
    expect(tracker.steering).toMatchObject([
      { call: 'approve', reason: 'ignored: the task does not wait for an approval' },
    ]);
    await handle.signal('pause');
    await trackerWhen(handle, ({ status }) => status === 'paused');
    await handle.signal('approve', null, 'ann');
    await handle.signal('reject', null, 'ben');
    await handle.signal('resume');
    const done = await endOf(handle);
    expect(done).toMatchObject({ status: 'done', data: { approval: { decision: { kind: 'approve', by: 'ann' } } } });
    expect(done.steering).toContainEqual(
      expect.objectContaining({ call: 'reject', by: 'ben', reason: 'ignored: it is decided already' }),
    );
    expect(await servingAs(alias)).toBe(dest);
  });

  test('answers a decision by an update, and refuses one that comes too late', async () => {
    const { handle, dest, alias } = await start('manual');
    const decide = (kind: 'approve' | 'reject', by: string) =>
      handle.executeUpdate<void, [string | null, string]>(kind, { args: ['better on our queries', by] });
    await trackerWhen(handle, isOpen);
    await handle.signal('pause');
    await trackerWhen(handle, ({ status }) => status === 'paused');
    await decide('approve', 'ben');
    await expect(decide('reject', 'ann')).rejects.toMatchObject({
      cause: { type: 'NotDecided', message: 'it is decided already' },
    });
    await handle.signal('resume');
    const decision = { kind: 'approve', by: 'ben', reason: 'better on our queries' };
    expect(await endOf(handle)).toMatchObject({ status: 'done', data: { approval: { decision } } });
    expect(await servingAs(alias)).toBe(dest);
  });

  test('releases its lock when it is canceled, and must be approved again after a restart', async () => {
    const { handle, source, dest, alias } = await start('manual');
    await trackerWhen(handle, isOpen);
    await handle.signal('cancel');
    expect(await endOf(handle)).toMatchObject({ status: 'canceled' });
    expect([await locks(), await servingAs(alias)]).toEqual([[], source]);
    expect(await contentOf(dest)).toEqual({ a: 'text a', b: 'text b', c: 'text c' });
  });

  test.each([
    ['manual' as const, true],
    [{ onTimeout: 'reject', onReject: 'delete' } as const, false],
  ])('ends as refused when it is rejected with %j, and the source continues to serve', async (approve, isKept) => {
    const { handle, source, dest, alias } = await start(approve);
    await trackerWhen(handle, isOpen);
    await handle.signal('reject', 'worse on German', 'ben');
    const tracker = await endOf(handle);
    expect(tracker).toMatchObject({
      status: 'refused',
      detail: `the switch to ${dest} was rejected by ben: worse on German`,
      errors: [{ type: 'rejected' }],
      data: { approval: { decision: { kind: 'reject', by: 'ben' } } },
    });
    expect(await servingAs(alias)).toBe(source);
    expect(await locks()).toEqual([]);
    const content = { a: 'text a', b: 'text b', c: 'text c' };
    await expect.poll(() => contentOf(dest), { timeout: 90_000 }).toEqual(isKept ? content : undefined);
    expect(await contentOf(source)).toEqual(content);
    if (isKept) return;
    const deletion = rig().client.workflow.getHandle(`${handle.workflowId}/reject/1`);
    expect(await endOf(deletion)).toMatchObject({ status: 'done', parentId: handle.workflowId });
  });
});

// Each on its own server: one that has seen an activity outlive its workflow no longer skips time.
describe.each(['approve', 'reject'] as const)('a reindex that nobody decides about', (onTimeout) => {
  const { start, servingAs, sleep } = useReindexes('time-skipping');

  test(`decides to ${onTimeout} by itself after its timeout`, async () => {
    const { handle, source, dest, alias } = await start({ timeout: '3d', onTimeout, onReject: 'keep' });
    const { detail, data } = await trackerWhen(handle, isOpen);
    const { deadline, since } = data.approval as { deadline: string; since: string };
    expect(Date.parse(deadline) - Date.parse(since)).toBe(3 * 86_400_000);
    expect(detail).toContain(` until ${deadline}`);
    await sleep('2 days');
    expect(await servingAs(alias)).toBe(source);
    await sleep('25 hours');
    const ended = await endOf(handle);
    expect(ended.status).toBe(onTimeout === 'approve' ? 'done' : 'refused');
    expect(ended.data.approval).toMatchObject({
      decision: { kind: onTimeout, by: null, reason: 'nobody decided within 3d', isTimeout: true },
    });
    expect(await servingAs(alias)).toBe(onTimeout === 'approve' ? dest : source);
  });
});

describe('a reindex that waits for an approval so long that it continues as a new run', () => {
  const { start, upsert, contentOf, servingAs } = useReindexes('dev', {
    dynamicConfig: ['limit.historyCount.suggestContinueAsNew=60'],
  });

  test('keeps its lock and its place, and switches when it is approved', async () => {
    const { handle, dest, alias } = await start('manual', { lockSeconds: 10 });
    const first = await trackerWhen(handle, isOpen);
    await handle.signal('pause');
    await handle.signal('resume');
    const later = await trackerWhen(handle, (now) => isOpen(now) && now.links.runId !== first.links.runId);
    expect(later).toMatchObject({ attempts: 1, lock: first.lock, data: { approval: { decision: null } } });
    expect(later.data.approval).toEqual(first.data.approval);
    await upsert(alias, { a: 'changed' });
    await handle.signal('approve');
    expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 1 });
    expect(await servingAs(alias)).toBe(dest);
    expect(await contentOf(dest)).toEqual({ a: 'changed', b: 'text b', c: 'text c' });
  });
});
