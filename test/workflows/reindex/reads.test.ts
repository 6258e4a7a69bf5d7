import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReindexInput } from '../../../src/contract/workflow-inputs.ts';
import { resolveWithReads } from '../../../src/store/protocol/reads.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';

const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;
const isOpen = ({ status, data }: { status: string; data: Record<string, unknown> }) =>
  status === 'waiting' && data.phase === 'approval';

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let rig: Rig;
let names = 0;

beforeAll(async () => {
  const dynamicConfig = ['limit.historyCount.suggestContinueAsNew=60'];
  [environment, database] = await Promise.all([startTemporal('dev', { dynamicConfig }), openPostgresDatabase()]);
  rig = await startRig({ environment, db: database.db });
});
afterAll(async () => {
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

async function start(input: Partial<ReindexInput>) {
  const no = ++names;
  const [source, dest, alias] = [`source-${no}`, `dest-${no}`, `alias-${no}`];
  await givenIndex(database.db, source, { alias });
  const items = ['a', 'b', 'c'].map((id) => ({ id, payload: `text ${id}` }));
  await rig.run('upsert', { index: alias, items });
  const handle = await rig.start('reindex', { source: alias, dest, destModel, lockSeconds: 86_400, ...input });
  const stored = async () => (await resolveWithReads(database.db, alias)).reads;
  return { handle, alias, stored };
}

describe('the reads of a reindex', () => {
  test('stay through new runs and other workers, are changed by a signal, and end with a cancel', async () => {
    const { handle, stored } = await start({ approve: 'manual', shadow: 0.1, canary: 0.2, lockSeconds: 10 });
    const first = await trackerWhen(handle, isOpen);
    const { since } = first.data.reads as { since: string };
    expect(await stored()).toMatchObject({ shadow: 0.1, canary: 0.2 });
    const later = await trackerWhen(handle, (now) => isOpen(now) && now.links.runId !== first.links.runId);
    expect(later.data.reads).toEqual({ shadow: 0.1, canary: 0.2, since });

    await rig.stop();
    rig = await startRig({ environment, db: database.db, taskQueue: rig.taskQueue });
    await handle.signal('reads', { canary: 0.5 }, 'ann');
    await handle.signal('reads', { shadow: 0 }, 'ann');
    const changed = await trackerWhen(handle, ({ data, steering }) => {
      return steering.length === 2 && (data.reads as { since: string | null }).since !== null;
    });
    expect(changed.data.reads).toMatchObject({ shadow: 0, canary: 0.5 });
    expect(changed.steering).toMatchObject([{ call: 'reads', by: 'ann' }, { call: 'reads' }]);
    expect(await stored()).toMatchObject({ shadow: 0, canary: 0.5 });

    await handle.signal('cancel');
    const ended = await endOf(handle);
    expect(ended).toMatchObject({ status: 'canceled', data: { reads: { since: null } } });
    expect(await stored()).toBeUndefined();
  });

  test('begin only when the new index is complete, and may be set before that', async () => {
    const { handle, stored } = await start({ approve: 'manual', batchSize: 1, ratePerSecond: 0.2 });
    await handle.signal('reads', { canary: 0.3 });
    const early = await trackerWhen(handle, ({ data }) => data.phase === 'copy' && data.reads !== undefined);
    expect(early.data.reads).toEqual({ shadow: 0, canary: 0.3, since: null });
    expect(await stored()).toBeUndefined();
    await trackerWhen(handle, isOpen);
    expect(await stored()).toMatchObject({ shadow: 0, canary: 0.3 });
    await handle.signal('approve');
    expect(await endOf(handle)).toMatchObject({ status: 'done', data: { reads: { since: null } } });
    expect(await stored()).toBeUndefined();
  });

  test('are left as they are by a signal that makes no sense, whose reason is noted', async () => {
    const { handle } = await start({ approve: 'manual' });
    await trackerWhen(handle, isOpen);
    const senseless = [{ canary: 2 }, {}, null, { shadow: '1' }, { tenant: 0.1 }];
    for (const shares of senseless) await handle.signal('reads', shares);
    const tracker = await trackerWhen(handle, ({ steering }) => steering.length === senseless.length);
    const expected = 'ignored: an object with shadow or canary, a number from 0 to 1, was expected';
    expect(tracker.steering.map(({ reason }) => reason)).toEqual(senseless.map(() => expected));
    expect(tracker.data.reads).toBeUndefined();
    await handle.signal('reject');
    await endOf(handle);
  });
});
