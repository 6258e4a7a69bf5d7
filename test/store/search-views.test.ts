import { randomUUID } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import { expect, it } from 'vitest';
import { deleteAlias, setAlias } from '../../src/store/aliases.ts';
import { type Db, openDatabase, type Trx, transaction } from '../../src/store/database.ts';
import { dropIndex } from '../../src/store/drop-index.ts';
import { markDeleting } from '../../src/store/indexes.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { cutOver } from '../../src/store/protocol/cut-over.ts';
import { rollBack } from '../../src/store/protocol/roll-back.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { alignSearchViews, listBehind, viewNameOf } from '../../src/store/search-views.ts';
import { buildVectorIndex } from '../../src/store/vector-index.ts';
import { onBothDatabases } from '../support/databases.ts';
import { content, createIndex, failure, lockIn, partsOf, tombstone, uniqueName, writeIn } from './builders.ts';

const viewOf = (alias: string) => sql.id('reembed', viewNameOf(alias));

async function rowsOf<T>(db: Db | Trx, query: RawBuilder<T>): Promise<T[]> {
  return (await query.execute(db)).rows;
}

const idsIn = async (db: Db, alias: string) =>
  (await rowsOf(db, sql<{ id: string }>`select object_id as id from ${viewOf(alias)} order by 1`)).map(({ id }) => id);

/** An alias of the first of two indexes with one object each. */
async function given(db: Db, dimensions: readonly [number, number] = [3, 3]) {
  const alias = uniqueName('alias');
  const indexes: IndexRow[] = [];
  for (const [at, size] of dimensions.entries()) {
    const index = await createIndex(db, { dimensions: size });
    const embedding = Array.from({ length: size }, (_, n) => (n === at ? 1 : 0.1));
    const part = { part: 0, start: 0, end: 4, isAverage: false, embedding };
    await writeIn(db, index, [content(`of-${at}`, 1, { text: 'text', parts: [part] })]);
    indexes.push(index);
  }
  const [first, second] = indexes as [IndexRow, IndexRow];
  await setAlias(db, alias, first.name);
  return { alias, first, second };
}

/** An alias of an index with many objects of one part each, and an HNSW index. */
async function givenMany(db: Db, { dimensions, count }: { dimensions: number; count: number }) {
  const index = await createIndex(db, { dimensions });
  const alias = uniqueName('alias');
  await setAlias(db, alias, index.name);
  const { objects, parts } = tablesOf(index.no);
  await sql`
    insert into ${objects} (index_no, object_id, version, change, payload, hash)
    select ${index.no}::int, 'o' || n, n, n, '"text"', 'hash' from generate_series(1, ${count}::int) n`.execute(db);
  await sql`
    insert into ${parts} (index_no, object_id, part, text_range, embedding)
    select ${index.no}::int, 'o' || n, 0, '[0,4)',
      (select array_agg(sin(n * 7 + place) + 1.5 order by place)::real[]::vector
       from generate_series(1, ${dimensions}::int) place)
    from generate_series(1, ${count}::int) n`.execute(db);
  await buildVectorIndex(db, index, { memoryMb: 64 });
  return { alias, index };
}

function nearest(alias: string, column: string, type: string, dimensions: number): RawBuilder<unknown> {
  const asked = JSON.stringify(Array.from({ length: dimensions }, (_, n) => Math.sin(n) + 1.5));
  return sql`
    select object_id as id from ${viewOf(alias)} order by ${sql.id(column)} <=> ${asked}::${sql.raw(type)} limit 10`;
}

const planOf = async (db: Db | Trx, query: RawBuilder<unknown>) =>
  JSON.stringify(await rowsOf(db, sql`explain ${query}`));

onBothDatabases((database, name) => {
  it('the view of an alias has each part of its objects, and none of deleted or failed ones', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const alias = uniqueName('a.b-c_d');
    const payload = 'the first one and the other';
    await writeIn(db, index, [
      content('a', 1, { payload, metadata: { lang: 'en' }, parts: partsOf([1, 3], true) }),
      content('b', 2),
      failure('c', 3),
    ]);
    await writeIn(db, index, [tombstone('b', 4)]);
    await setAlias(db, alias, index.name);
    const rows = await rowsOf(db, sql`select * from ${viewOf(alias)} order by part`);
    const same = { object_id: 'a', payload, metadata: { lang: 'en' }, version: 1 };
    expect(rows).toMatchObject([
      { ...same, part: 0, text: 'the first ', embedding: '[1,1,0.5]', embedding_half: '[1,1,0.5]' },
      { ...same, part: 1, text: 'one and th', embedding: '[3,1,0.5]' },
      { ...same, part: null, text: null, embedding: '[2,1,0.5]' },
    ]);
  });

  it('the HNSW index serves the order by the embedding of a view', async () => {
    const { db } = database();
    const { alias, index } = await givenMany(db, { dimensions: 16, count: 10_000 });
    const query = nearest(alias, 'embedding', 'vector', 16);
    await sql`analyze`.execute(db);
    expect(await planOf(db, query)).toContain(`Index Scan using parts_${index.no}_hnsw`);
    expect(await rowsOf(db, query)).toHaveLength(10);
  });

  it('the HNSW index in half precision serves the order by the half embedding of a view', async () => {
    const { db } = database();
    const { alias, index } = await givenMany(db, { dimensions: 2_100, count: 100 });
    const query = nearest(alias, 'embedding_half', 'halfvec', 2_100);
    await transaction(db, async (trx) => {
      // So few rows would otherwise be sorted.
      await sql`set local enable_sort = off`.execute(trx);
      expect(await planOf(trx, query)).toContain(`Index Scan using parts_${index.no}_hnsw`);
      expect(await rowsOf(trx, query)).toHaveLength(10);
    });
  });

  it('a view follows its alias to vectors of other dimensions, with its privileges and the views that read it', async () => {
    const { db } = database();
    const { alias, second } = await given(db, [3, 2_100]);
    const own = sql.id(uniqueName('own'));
    await sql`create view ${own} as select object_id, embedding from ${viewOf(alias)}`.execute(db);
    await sql`grant select on ${viewOf(alias)} to public`.execute(db);
    const described = () =>
      rowsOf(db, sql`select oid, relacl::text from pg_class where relname = ${viewNameOf(alias)} and relkind = 'v'`);
    const before = await described();
    expect(before).toHaveLength(1);
    await setAlias(db, alias, second.name, { force: true });
    expect([await idsIn(db, alias), await described()]).toEqual([['of-1'], before]);
    expect(await rowsOf(db, sql`select object_id, vector_dims(embedding) as n from ${own}`)).toEqual([
      { object_id: 'of-1', n: 2_100 },
    ]);
  });

  it('a view is switched by the cut-over of a reindex and by its roll back', async () => {
    const { db } = database();
    const [blue, green] = [await createIndex(db), await createIndex(db)];
    await writeIn(db, blue, [content('a', 1)]);
    await writeIn(db, green, [content('b', 2)]);
    const alias = uniqueName('alias');
    await setAlias(db, alias, blue.name);
    const { lock, taskId } = await lockIn(db, alias, green.name);
    const read = async () =>
      (await rowsOf(db, sql<{ no: number }>`select index_no as no from reembed.search_views where alias = ${alias}`))[0]
        ?.no;
    expect([await read(), await idsIn(db, alias)]).toEqual([blue.no, ['a']]);
    const mark = 1_000_000_000;
    const mirror = { lock: randomUUID(), taskId, lockSeconds: 60 };
    await cutOver(db, { lock, sourceNo: blue.no, destNo: green.no, mark, alias, mirror });
    expect([await read(), await idsIn(db, alias)]).toEqual([green.no, ['b']]);
    const next = { lock: randomUUID(), taskId, lockSeconds: 60 };
    const step = { lock: mirror.lock, mark, next, aliases: null, by: null, reason: null };
    expect(await rollBack(db, step)).toMatchObject({ kind: 'done' });
    expect([await read(), await idsIn(db, alias)]).toEqual([blue.no, ['a']]);
  });

  it('a view goes with its alias; one that others read stays without rows, and holds no index', async () => {
    const { db } = database();
    const { alias, first, second } = await given(db);
    const other = uniqueName('alias');
    await setAlias(db, other, first.name);
    const own = sql.id(uniqueName('own'));
    await sql`create view ${own} as select object_id from ${viewOf(other)}`.execute(db);
    await deleteAlias(db, alias);
    const views = (of: string) => rowsOf(db, sql`select from pg_class where relname = ${viewNameOf(of)}`);
    expect(await views(alias)).toEqual([]);
    await transaction(db, (trx) => markDeleting(trx, first.name, { force: true }));
    expect([await views(other), await rowsOf(db, sql`select * from ${own}`)]).toEqual([[{}], []]);
    expect(await dropIndex(db, first.no)).toEqual({ kind: 'dropped' });
    await setAlias(db, other, second.name);
    expect(await rowsOf(db, sql`select * from ${own}`)).toEqual([{ object_id: 'of-1' }]);
  });

  it('two long aliases that begin alike have views of their own', async () => {
    const { db } = database();
    const { first, second } = await given(db);
    const long = `${uniqueName('x').padEnd(60, 'x')}-`;
    await setAlias(db, `${long}a`, first.name);
    await setAlias(db, `${long}b`, second.name);
    expect([await idsIn(db, `${long}a`), await idsIn(db, `${long}b`)]).toEqual([['of-0'], ['of-1']]);
    expect(viewNameOf(`${long}a`)).toHaveLength(63);
  });

  it('the view of an alias from before there were views is created by the next alignment', async () => {
    const { db } = database();
    const { alias } = await given(db);
    await sql`drop view ${viewOf(alias)}`.execute(db);
    await sql`delete from reembed.search_views where alias = ${alias}`.execute(db);
    expect(await listBehind(db)).toContain(alias);
    expect(await alignSearchViews(db)).toEqual([]);
    expect([await idsIn(db, alias), await listBehind(db)]).toEqual([['of-0'], []]);
  });

  it('something else with the name of a view neither stops an alias nor is replaced', async () => {
    const { db } = database();
    const { first, second } = await given(db);
    const alias = uniqueName('alias');
    await sql`create table ${viewOf(alias)} (mine int)`.execute(db);
    await setAlias(db, alias, first.name);
    await setAlias(db, alias, second.name, { force: true });
    expect([await listBehind(db), await rowsOf(db, sql`select mine from ${viewOf(alias)}`)]).toEqual([[alias], []]);
    await deleteAlias(db, alias);
    expect(await listBehind(db)).toEqual([]);
  });

  if (name === 'pglite') return; // it has one session

  it('an alias moves while a reader holds its view, which follows when the reader has ended', async () => {
    const { db, url } = database();
    const { alias, first, second } = await given(db);
    const reader = openDatabase({ url });
    await reader.transaction().execute(async (trx) => {
      await sql`select from ${viewOf(alias)}`.execute(trx);
      await setAlias(db, alias, second.name, { force: true });
      // A view never shows half of a switch: it reads the index from before.
      expect([await listBehind(db), await idsIn(db, alias)]).toEqual([[alias], ['of-0']]);
      expect(await alignSearchViews(db)).toEqual([alias]);
      await transaction(db, (other) => markDeleting(other, first.name, { force: false }));
      expect(await dropIndex(db, first.no)).toMatchObject({ kind: 'inUse' });
    });
    await reader.destroy();
    expect(await dropIndex(db, first.no)).toEqual({ kind: 'dropped' });
    expect([await listBehind(db), await idsIn(db, alias)]).toEqual([[], ['of-1']]);
  });
});
