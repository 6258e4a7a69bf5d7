import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { admitItems, requireWritable } from '../../src/store/admission.ts';
import { nextVersion } from '../../src/store/protocol/versions.ts';
import {
  clearFailed,
  countFailed,
  countStaged,
  dropStaged,
  hasFailed,
  listFailed,
  readStaged,
  recordFailed,
  stageItems,
} from '../../src/store/staging.ts';
import { onBothDatabases } from '../support/databases.ts';
import { createIndex, uniqueName } from './builders.ts';

const failed = (objectId: string, detail = 'why') => ({
  objectId,
  stage: 'embed' as const,
  reason: 'ModelUnavailable',
  detail,
});

onBothDatabases((database) => {
  it('items are staged in order, staging them again changes nothing, and they are dropped together', async () => {
    const { db } = database();
    const staging = uniqueName('staging');
    const items = ['{}', 'NULL', '"', '\\', '𝒳'].map((id) => ({ id, payload: { [id]: [id, null] } }));
    await stageItems(db, staging, 0, items.slice(0, 3));
    await stageItems(db, staging, 0, items.slice(0, 3));
    await stageItems(db, staging, 3, items.slice(3));
    await stageItems(db, staging, 5, []);
    const range = { fromSeq: 0, toSeq: 99, limit: 99 };
    expect((await readStaged(db, staging, range)).map(({ item }) => item)).toEqual(items);
    expect(await readStaged(db, staging, { fromSeq: 1, toSeq: 3, limit: 1 })).toMatchObject([{ seq: 1 }]);
    await dropStaged(db, staging);
    expect(await countStaged(db, staging)).toBe(0);
  });

  it('items are read up to a byte limit at a time, but always at least one', async () => {
    const { db } = database();
    const staging = uniqueName('staging');
    const bytes = 1_000;
    // Random, so that it is not compressed when it is stored.
    await stageItems(
      db,
      staging,
      0,
      [1, 2, 3, 4].map(() => ({ id: randomBytes(bytes / 2).toString('hex') })),
    );
    const seqs = async (fromSeq: number, limitBytes: number) =>
      (await readStaged(db, staging, { fromSeq, toSeq: 99, limit: 3, limitBytes })).map(({ seq }) => seq);
    expect(await seqs(0, 1)).toEqual([0]);
    expect(await seqs(1, bytes + 1)).toEqual([1]);
    expect(await seqs(1, 2 * bytes)).toEqual([1, 2]);
    expect(await seqs(0, 99 * bytes)).toEqual([0, 1, 2]);
    expect(await seqs(4, bytes)).toEqual([]);
    await dropStaged(db, staging);
  });

  it('items that Postgres compresses are read up to 8 MB of JSON at a time', async () => {
    const { db } = database();
    const staging = uniqueName('staging');
    const items = Array.from({ length: 5 }, (_, at) => ({ id: `${at}`, payload: 'a '.repeat(1_500_000) }));
    await stageItems(db, staging, 0, items);
    const seqs = async (fromSeq: number) =>
      (await readStaged(db, staging, { fromSeq, toSeq: 5, limit: 5 })).map(({ seq }) => seq);
    expect([await seqs(0), await seqs(2), await seqs(4)]).toEqual([[0, 1], [2, 3], [4]]);
    await dropStaged(db, staging);
  });

  it('items staged by an older API as jsonb can still be read', async () => {
    const { db } = database();
    const staging = uniqueName('staging');
    await sql`
      insert into reembed.staged_items (staging, seq, item)
      select ${staging}, 0, '{"id":"a","payload":{"n":1}}'::text::jsonb`.execute(db);
    const rows = await readStaged(db, staging, { fromSeq: 0, toSeq: 1, limit: 1 });
    expect(rows).toEqual([{ seq: 0, item: { id: 'a', payload: { n: 1 } } }]);
    await dropStaged(db, staging);
  });

  it('failed items are listed by id, once each with the last reason, until they are written', async () => {
    const { db } = database();
    const task = uniqueName('task');
    await recordFailed(db, task, [failed('b'), failed('a', 'first'), failed('a', 'second')]);
    await recordFailed(db, task, [failed('b', 'again')]);
    await recordFailed(db, task, []);
    const page = { after: null, limit: 9 };
    expect((await listFailed(db, task, page)).map(({ objectId, detail }) => [objectId, detail])).toEqual([
      ['a', 'second'],
      ['b', 'again'],
    ]);
    expect(await listFailed(db, task, { after: 'a', limit: 1 })).toMatchObject([{ objectId: 'b' }]);
    expect(await hasFailed(db, task)).toBe(true);
    await clearFailed(db, task, ['a', 'never']);
    expect(await countFailed(db, task)).toBe(1);
  });

  it('a reason may hold any text, of any length', async () => {
    const { db } = database();
    const task = uniqueName('task');
    await recordFailed(db, task, [
      failed('nul', 'a\u0000b'),
      failed('long', '𝒳'.repeat(3_000)),
      failed('half', '\ud800'),
    ]);
    const [half, long, nul] = await listFailed(db, task, { after: null, limit: 9 });
    expect(nul?.detail).toBe('a\ufffdb');
    expect(long?.detail.length).toBeLessThanOrEqual(2_000);
    expect(half?.detail).toBe('\ufffd');
  });

  it('versions given at acceptance keep the order of the calls', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const before = await nextVersion(db);
    const request = { staging: uniqueName('staging'), index, name: index.name, field: 'items' as const };
    const accepted = await admitItems(db, { ...request, items: [{ id: 'a' }] });
    expect(accepted.version).toBeGreaterThan(before);
    expect(await nextVersion(db)).toBeGreaterThan(accepted.version);
    const several = await Promise.all(Array.from({ length: 20 }, () => nextVersion(db)));
    expect(new Set(several).size).toBe(20);
  });

  it('items whose versions do not fit the index are refused before anything is staged', async () => {
    const { db } = database();
    const [internal, external] = [await createIndex(db), await createIndex(db, { versioning: 'external' })];
    for (const [index, items] of [
      [internal, [{ id: 'a' }, { id: 'b', version: 1 }]],
      [external, [{ id: 'a', version: 1 }, { id: 'b' }]],
    ] as const) {
      const staging = uniqueName('staging');
      const admitting = admitItems(db, { staging, index, name: index.name, items, field: 'items' });
      await expect(admitting).rejects.toMatchObject({ type: 'InvalidInput', issues: [{ path: 'items.1.version' }] });
      expect(await countStaged(db, staging)).toBe(0);
    }
    await expect(requireWritable(db, 'nothing')).rejects.toMatchObject({ type: 'IndexNotFound' });
  });
});
