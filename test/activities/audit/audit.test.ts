import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { ReembedError } from '../../../src/contract/errors.ts';
import type { Storage } from '../../../src/contract/vector-index.ts';
import { createModels } from '../../../src/models/models.ts';
import { tablesOf } from '../../../src/store/partitions.ts';
import type { IndexRow } from '../../../src/store/schema.ts';
import { orphanParts, rowsOf, tombstone, writeIn } from '../../store/builders.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { givenDependencies } from '../dependencies.ts';
import { audit, auditedIndex, BREAKS, breakEach, embedded, textOf } from './support.ts';

onBothDatabases((database) => {
  const given = () => givenDependencies(database().db, () => undefined);

  /** An index with whole objects and one object for each way to break it. */
  async function filled(storage: Storage = 'vector'): Promise<IndexRow> {
    const { db } = database();
    const index = await auditedIndex(db, { storage });
    const ids = [...Object.keys(BREAKS), ...Array.from({ length: 30 }, (_, at) => `whole-${at}`)];
    const items = ids.map((id) => ({ id, payload: textOf(id) }));
    const json = { id: 'json', payload: { title: 'words', tags: ['a', 'b'], size: 1.5, none: null } };
    await writeIn(db, index, await embedded(given(), index, [...items, json], 5));
    await writeIn(db, index, [tombstone('gone', 6), tombstone('whole-0', 6)]);
    return index;
  }
  const live = Object.keys(BREAKS).length + 30;

  test.each(['vector', 'halfvec'] as const)(
    'an index that nobody touched by hand has nothing to report, stored as %s',
    async (storage) => {
      const index = await filled(storage);
      const { total, counts, listed } = await audit(given(), index.name);
      expect({ total, counts, listed }).toEqual({
        total: live,
        counts: { objects: live, found: {}, repaired: 0, listed: 0 },
        listed: [],
      });
    },
  );

  test('an audit finds each way in which an object is broken, and nothing else', async () => {
    const { db } = database();
    const index = await filled();
    const broken = await breakEach(db, index);
    const { counts, listed } = await audit(given(), index.name);
    expect(listed).toEqual(broken);
    expect(counts).toEqual({
      objects: live - 1,
      found: Object.fromEntries(Object.keys(BREAKS).map((kind) => [kind, 1])),
      repaired: 0,
      listed: broken.length,
    });
  });

  test('a repair makes every object whole with the version that it had', async () => {
    const { db } = database();
    const index = await filled();
    const before = await rowsOf(db, index.no);
    const broken = await breakEach(db, index);
    const { counts, listed } = await audit(given(), index.name, { repair: true });
    expect(counts).toMatchObject({ repaired: broken.length, listed: 0 });
    expect(listed).toEqual([]);
    // What was changed by hand stays, with vectors that fit; an object of which only parts were left is gone.
    const parts = ({ parts, ...row }: (typeof before)[number]) => (row.id === 'changed' ? row : { ...row, parts });
    const expected = before.filter(({ id }) => id !== 'orphaned-parts').map(parts);
    const changed = expected.find(({ id }) => id === 'changed');
    if (changed) changed.payload = 'by hand';
    expect((await rowsOf(db, index.no)).map(parts)).toEqual(expected);
    expect(await orphanParts(db, index.no)).toEqual([]);
    expect((await audit(given(), index.name)).counts.found).toEqual({});
  });

  test('parts of deleted objects are found and removed', async () => {
    const { db } = database();
    const index = await filled();
    await sql`
      insert into ${tablesOf(index.no).parts} (index_no, object_id, part, embedding)
      values (${index.no}, 'gone', 0, '[1,0,0,0,0,0,0,0]')`.execute(db);
    expect((await audit(given(), index.name)).listed).toEqual([['gone', 'orphaned-parts']]);
    expect((await audit(given(), index.name, { repair: true })).counts).toMatchObject({ repaired: 1 });
    expect(await orphanParts(db, index.no)).toEqual([]);
  });

  test('surplus rows are found and removed, and the row with the highest version stays', async () => {
    const { db } = database();
    const index = await filled();
    const { objects, parts } = tablesOf(index.no);
    const before = await rowsOf(db, index.no);
    for (const [table, name] of [
      [objects, 'objects'],
      [parts, 'parts'],
    ] as const) {
      await sql`alter table ${table} drop constraint ${sql.id(`${name}_${index.no}_pkey`)}`.execute(db);
    }
    await sql`
      insert into ${objects} (index_no, object_id, version, change, payload)
      select index_no, object_id, 1, 1, '"older"' from ${objects} where object_id = 'whole-1'`.execute(db);
    await sql`
      insert into ${parts} (index_no, object_id, part, is_average, text_range, embedding)
      select index_no, object_id, part, is_average, text_range, embedding
      from ${parts} where object_id = 'whole-2' and part = 0`.execute(db);
    expect((await audit(given(), index.name)).listed).toEqual([
      ['whole-1', 'duplicate'],
      ['whole-2', 'duplicate'],
    ]);
    expect((await audit(given(), index.name, { repair: true })).counts).toMatchObject({ repaired: 2 });
    expect(await rowsOf(db, index.no)).toEqual(before);
  });

  test('an audit stays within its range of keys', async () => {
    const { db } = database();
    const index = await filled();
    for (const id of ['whole-1', 'whole-2', 'whole-3']) await BREAKS['without-parts'](db, index.no, id);
    const { total, counts, listed } = await audit(given(), index.name, { after: 'whole-1', until: 'whole-2' });
    // whole-10 to whole-19, and whole-2.
    expect({ total, objects: counts.objects, listed }).toEqual({
      total: 11,
      objects: 11,
      listed: [['whole-2', 'without-parts']],
    });
  });

  test('an audit counts more than it lists', async () => {
    const { db } = database();
    const index = await filled();
    await breakEach(db, index);
    const { counts, listed } = await audit(given(), index.name, { room: 3 });
    expect(Object.keys(counts.found)).toHaveLength(8);
    expect(counts.listed).toBe(3);
    expect(listed).toHaveLength(3);
  });

  test('an audit of the failed list forgets what is no longer broken', async () => {
    const { db } = database();
    const index = await filled();
    for (const id of ['whole-1', 'whole-2']) await BREAKS['without-parts'](db, index.no, id);
    const { taskId } = await audit(given(), index.name);
    await writeIn(db, index, await embedded(given(), index, [{ id: 'whole-1', payload: 'new words' }], 9));
    await BREAKS['without-parts'](db, index.no, 'whole-3');
    const again = await audit(given(), index.name, { taskId, onlyFailed: true });
    expect(again.listed).toEqual([['whole-2', 'without-parts']]);
    expect(await audit(given(), index.name, { taskId, onlyFailed: true, repair: true })).toMatchObject({
      total: 1,
      counts: { objects: 1, repaired: 1 },
      listed: [],
    });
  });

  test('an object that the model rejects stays as it is, and is listed with the reason', async () => {
    const { db } = database();
    const index = await filled();
    await BREAKS['without-parts'](db, index.no, 'whole-1');
    const usual = createModels({ env: {} }).embedder(index.model);
    const deps = givenDependencies(db, () => async (texts, options) => {
      if (texts.some((text) => text.includes('whole-1')))
        throw new ReembedError('ModelRejectedInput', 'not these words');
      return usual.embed(texts, options);
    });
    const { counts, listed, taskId } = await audit(deps, index.name, { repair: true });
    expect(counts).toMatchObject({ found: { 'without-parts': 1 }, repaired: 0, listed: 1 });
    expect(listed).toEqual([['whole-1', 'without-parts']]);
    const { rows } = await sql<{ detail: string }>`
      select detail from reembed.failed_items where task_id = ${taskId}`.execute(db);
    expect(rows[0]?.detail).toContain('not these words');
    expect(await rowsOf(db, index.no)).toContainEqual(expect.objectContaining({ id: 'whole-1', failed: false }));
  });

  test('an object that came with its parts is whole; a broken one is left to who sent it, unless the splitter makes them', async () => {
    const { db } = database();
    const index = await auditedIndex(db);
    const [plain] = await embedded(given(), index, [{ id: 'usual', payload: textOf('usual') }], 1);
    const usual = plain?.kind === 'content' ? plain.parts.filter(({ isAverage }) => !isAverage) : [];
    const own = [1, 2].map((first) => ({ start: null, end: null, embedding: [first, 0, 0, 0, 0, 0, 0, 1] }));
    const items = [
      { id: 'own', payload: 'words that no part stands for', ready: { fits: true, parts: own } },
      { id: 'usual', payload: textOf('usual'), ready: { fits: true, parts: usual } },
    ];
    await writeIn(db, index, await embedded(given(), index, items, 5));
    expect((await audit(given(), index.name)).counts).toMatchObject({ objects: 2, found: {} });
    for (const { id } of items) await BREAKS['vector-zero'](db, index.no, id);
    const { counts, listed, taskId } = await audit(given(), index.name, { repair: true });
    expect(counts).toMatchObject({ found: { 'vector-zero': 2 }, repaired: 1 });
    expect(listed).toEqual([['own', 'vector-zero']]);
    const { rows } = await sql<{ detail: string }>`
      select detail from reembed.failed_items where task_id = ${taskId}`.execute(db);
    expect(rows[0]?.detail).toContain('send the object again');
  });
});
