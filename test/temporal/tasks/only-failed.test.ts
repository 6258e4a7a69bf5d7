import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ReembedError } from '../../../src/contract/errors.ts';
import { requireWritable } from '../../../src/store/admission.ts';
import { getObject } from '../../../src/store/objects.ts';
import { tablesOf } from '../../../src/store/partitions.ts';
import { countFailed } from '../../../src/store/staging.ts';
import { restartTask, waitForTask } from '../../../src/temporal/index.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { givenIndex, type Rig, startRig, startTemporal } from '../../support/rig.ts';

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let rig: Rig;
/** Texts that the models reject, and all texts that they were asked for. */
let rejected: (text: string) => boolean = () => false;
let asked: string[] = [];

beforeAll(async () => {
  [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
  rig = await startRig({
    environment,
    db: database.db,
    embedder: (_config, usual) => ({
      ...usual,
      async embed(texts, options) {
        asked.push(...texts);
        if (texts.some(rejected)) throw new ReembedError('ModelRejectedInput', 'not this one');
        return usual.embed(texts, options);
      },
    }),
  });
});
afterAll(async () => {
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});
beforeEach(() => {
  rejected = () => false;
  asked = [];
});

const items = (count: number) => Array.from({ length: count }, (_, at) => ({ id: `k${at}`, payload: `text ${at}.` }));
const odd = (text: string) => /[13579]\.$/.test(text);

async function given(): Promise<string> {
  return (await givenIndex(database.db, `i-${randomUUID()}`)).name;
}

async function again(taskId: string) {
  asked = [];
  await restartTask(environment.client, taskId, { onlyFailed: true });
  return waitForTask(environment.client, taskId, 90_000);
}

const stored = async (index: string, id: string) =>
  getObject(database.db, await requireWritable(database.db, index), id);

describe('a restart of the failed items only', () => {
  test('writes the items on the failed list of an upsert, with its version, and embeds no others', async () => {
    const index = await given();
    rejected = odd;
    const taskId = `upsert-${randomUUID()}`;
    const first = await rig.run('upsert', { index, items: items(20) }, taskId);
    expect(first).toMatchObject({ status: 'done', data: { written: 10, failed: 10 } });
    rejected = (text) => text === 'text 3.';
    const second = await again(taskId);
    expect(second).toMatchObject({
      status: 'done',
      version: first.version,
      data: { written: 9, failed: 1 },
      progress: { done: 10, total: 10, failed: 1 },
    });
    expect(new Set(asked).size).toBe(10);
    expect(asked.every(odd)).toBe(true);
    expect(await stored(index, 'k5')).toMatchObject({ version: first.version, payload: 'text 5.' });
    rejected = () => false;
    expect(await again(taskId)).toMatchObject({ status: 'done', data: { written: 1, failed: 0 } });
    expect(await countFailed(database.db, taskId)).toBe(0);
  });

  test('brings back nothing that was deleted or written again since', async () => {
    const index = await given();
    rejected = odd;
    const taskId = `upsert-${randomUUID()}`;
    await rig.run('upsert', { index, items: items(4) }, taskId);
    rejected = () => false;
    await rig.run('delete', { index, ids: ['k1'] });
    await rig.run('upsert', { index, items: [{ id: 'k3', payload: 'newer' }] });
    expect(await again(taskId)).toMatchObject({ status: 'done', data: { written: 0, stale: 2, failed: 0 } });
    await expect(stored(index, 'k1')).rejects.toMatchObject({ type: 'ObjectNotFound' });
    expect(await stored(index, 'k3')).toMatchObject({ payload: 'newer' });
  });

  test('gives vectors to the objects that a reindex copied without vectors', async () => {
    const source = await given();
    const dest = `d-${randomUUID()}`;
    await rig.run('upsert', { index: source, items: items(12) });
    rejected = odd;
    const taskId = `reindex-${randomUUID()}`;
    const first = await rig.run(
      'reindex',
      { source, dest, destModel: { provider: 'hash', dimensions: 16, name: 'hash-v1' }, maxFailed: 6 },
      taskId,
    );
    expect(first).toMatchObject({ status: 'done', progress: { failed: 6 } });
    expect(await stored(dest, 'k1')).toMatchObject({ failed: true });
    rejected = (text) => text === 'text 3.';
    await rig.run('delete', { index: dest, ids: ['k5'] });
    const second = await again(taskId);
    expect(second).toMatchObject({ status: 'done', progress: { done: 6 - 1, failed: 1 } });
    expect(asked.every(odd)).toBe(true);
    expect(await stored(dest, 'k1')).toMatchObject({ failed: false, payload: 'text 1.' });
    expect(await stored(dest, 'k3')).toMatchObject({ failed: true });
    await expect(stored(dest, 'k5')).rejects.toMatchObject({ type: 'ObjectNotFound' });
    const vectors = await sql<{ ids: string[] }>`
      select array_agg(object_id order by object_id) as ids
      from ${tablesOf((await requireWritable(database.db, dest)).no).parts}`.execute(database.db);
    expect(vectors.rows[0]?.ids).toEqual(
      items(12)
        .map(({ id }) => id)
        .filter((id) => id !== 'k3' && id !== 'k5')
        .sort(),
    );
    expect(await countFailed(database.db, taskId)).toBe(1);
  });

  test('does nothing if nothing failed, and is refused if items were never tried or there are none', async () => {
    const index = await given();
    const taskId = `upsert-${randomUUID()}`;
    const done = await rig.run('upsert', { index, items: items(2) }, taskId);
    expect(await restartTask(environment.client, taskId, { onlyFailed: true })).toMatchObject({
      attempts: 1,
      links: done.links,
    });
    const never = await rig.run('upsert', { index: 'nowhere', items: items(2) });
    await expect(restartTask(environment.client, never.id, { onlyFailed: true })).rejects.toMatchObject({
      type: 'TaskClosed',
    });
    const deletion = await rig.run('delete-index', { index });
    await expect(restartTask(environment.client, deletion.id, { onlyFailed: true })).rejects.toMatchObject({
      type: 'InvalidInput',
    });
  });
});
