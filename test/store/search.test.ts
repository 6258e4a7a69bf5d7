import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Db } from '../../src/store/database.ts';
import { readHits } from '../../src/store/hits.ts';
import { nearestByIndex } from '../../src/store/nearest.ts';
import { getObject, listObjects, streamObjects } from '../../src/store/objects.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { measureRecall } from '../../src/store/recall.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { searchObjects } from '../../src/store/search.ts';
import { buildVectorIndex } from '../../src/store/vector-index.ts';
import { onBothDatabases } from '../support/databases.ts';
import { content, createIndex, failure, tombstone, writeIn } from './builders.ts';

const MEMORY = { memoryMb: 32 };
const QUERY = [1, 0, 0];

/** A unit vector at this angle to the query, in degrees, in one of the planes through it. */
function away(degrees: number, plane = 0): number[] {
  const [angle, around] = [(degrees * Math.PI) / 180, plane * 2.39996];
  return [Math.cos(angle), Math.sin(angle) * Math.cos(around), Math.sin(angle) * Math.sin(around)];
}

/** Rows as a bulk load leaves them: a number of objects and parts, at angles that grow from first to last. */
async function fill(
  db: Db,
  index: IndexRow,
  { prefix, objects, parts = 1, from, to, metadata = {} }: Group,
): Promise<void> {
  const tables = tablesOf(index.no);
  await sql`
    insert into ${tables.objects} (index_no, object_id, version, change, payload, metadata, hash)
    select ${index.no}::int, ${prefix}::text || n, 1, nextval('reembed.changes'), '"text"', ${JSON.stringify(metadata)}::jsonb, 'hash'
    from generate_series(1, ${objects}::int) n`.execute(db);
  await sql`
    insert into ${tables.parts} (index_no, object_id, part, embedding)
    select ${index.no}::int, ${prefix}::text || n, part,
      array[cos(angle), sin(angle) * cos(around), sin(angle) * sin(around)]::real[]::vector
    from (
      select n, part, radians(${from}::float8 + (${to - from}::float8 * at) / ${objects * parts}::float8) as angle, at * 2.39996 as around
      from (
        select n, part, n * ${parts}::int + part as at
        from generate_series(1, ${objects}::int) n, generate_series(0, ${parts - 1}::int) part
      ) numbered
    ) placed`.execute(db);
}

interface Group {
  prefix: string;
  objects: number;
  parts?: number;
  from: number;
  to: number;
  metadata?: Record<string, unknown>;
}

const idsOf = (hits: readonly { id: string }[]) => hits.map(({ id }) => id);

onBothDatabases((database, databaseName) => {
  // The scan of the HNSW index stops here; a lower limit lets a small database stand for a large one.
  const reach = databaseName === 'pglite' ? 800 : 20_000;
  beforeEach(async () => {
    if (databaseName === 'pglite') await sql`set hnsw.max_scan_tuples = ${sql.lit(reach)}`.execute(database().db);
  });

  describe('a search with a filter among nearer objects', () => {
    const SIZES = [1, 20, 400, 3_000, 5_000];
    let index: IndexRow;

    beforeAll(async () => {
      const { db } = database();
      index = await createIndex(db, { dimensions: 3 });
      await fill(db, index, {
        prefix: 'near-',
        // The scan stops after the round that passes its limit: at most `ef_search` parts later.
        objects: Math.round(reach * 1.1) + 1_000,
        from: 0,
        to: 60,
        metadata: { group: 'near' },
      });
      for (const objects of SIZES) {
        const metadata = { group: `far-${objects}`, nested: { far: [objects] } };
        await fill(db, index, { prefix: `far-${objects}-`, objects, from: 100, to: 120, metadata });
      }
      await buildVectorIndex(db, index, MEMORY);
    }, 180_000);

    it('does not reach matching objects by the scan of the HNSW index alone', async () => {
      const filter = { group: 'far-3000' };
      const found = await database()
        .db.transaction()
        .execute((trx) => nearestByIndex(trx, index, { vector: QUERY, limit: 100, filter }));
      expect(found.length).toBeLessThan(100);
    });

    it.each(SIZES.flatMap((size) => [1, 10, 100, 1_000].map((limit) => [size, limit] as const)))(
      'is exact when %i far objects match and the limit is %i',
      async (size, limit) => {
        const request = { vector: QUERY, limit, filter: { group: `far-${size}` } };
        const { hits, exact, complete } = await searchObjects(database().db, index, request);
        expect(hits).toHaveLength(Math.min(size, limit));
        expect([exact, complete]).toEqual([true, true]);
        expect(hits[0]?.id).toBe(`far-${size}-1`);
        expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).sort((a, b) => b - a));
      },
    );

    it.each([
      ['no object passes', { group: 'none' }, 0],
      ['is empty', {}, 10],
      ['is nested', { nested: { far: [20] } }, 10],
      ['holds an empty object', { nested: {} }, 10],
      ['nearly all pass', { group: 'near' }, 10],
    ])('a filter that %s is answered', async (_which, filter, hits) => {
      const found = await searchObjects(database().db, index, { vector: QUERY, limit: 10, filter });
      expect(found.hits).toHaveLength(hits);
      expect(found.complete).toBe(true);
    });

    it('the answer says whether it used the HNSW index or compared all parts', async () => {
      const search = (filter?: Record<string, unknown>) =>
        searchObjects(database().db, index, { vector: QUERY, limit: 10, filter });
      expect(await search()).toMatchObject({ exact: false, complete: true });
      expect(await search({})).toMatchObject({ exact: false, complete: true });
      expect(await search({ group: 'far-20' })).toMatchObject({ exact: true, complete: true });
    });

    it('objects that match a filter are looked up by their metadata', async () => {
      const { db } = database();
      const { objects } = tablesOf(index.no);
      await sql`analyze ${objects}`.execute(db);
      const { rows } = await sql<{ 'QUERY PLAN': string }>`
        explain select from ${objects} where index_no = ${index.no} and not deleted and metadata @> '{"group": "far-20"}'`.execute(
        db,
      );
      expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain(`objects_${index.no}_metadata`);
    });
  });

  it('many parts of few objects near the query do not displace other objects', async () => {
    const { db } = database();
    const index = await createIndex(db, { dimensions: 3 });
    await fill(db, index, { prefix: 'book-', objects: 3, parts: Math.round(reach * 0.4), from: 0, to: 30 });
    await fill(db, index, { prefix: 'note-', objects: 20, from: 40, to: 60 });
    const limit = 20;
    for (const built of [false, true]) {
      if (built) await buildVectorIndex(db, index, MEMORY);
      const { hits, complete } = await searchObjects(db, index, { vector: QUERY, limit });
      expect(idsOf(hits)).toEqual([
        'book-1',
        'book-2',
        'book-3',
        ...Array.from({ length: 17 }, (_, at) => `note-${at + 1}`),
      ]);
      expect(complete).toBe(true);
      expect((await searchObjects(db, index, { vector: QUERY, limit: 2 })).hits).toHaveLength(2);
    }
  }, 120_000);

  // The embedded database does not cancel statements: there the API answers when the time is over.
  it.skipIf(databaseName === 'pglite')(
    'an answer cut short by the time limit says so, and is an error if nothing was found',
    async () => {
      const { db } = database();
      const index = await createIndex(db, { dimensions: 3 });
      await fill(db, index, {
        prefix: 'book-',
        objects: 3,
        parts: Math.round(reach * 0.4),
        from: 0,
        to: 30,
        metadata: { kind: 'book' },
      });
      await fill(db, index, { prefix: 'note-', objects: 5_000, from: 40, to: 60, metadata: { kind: 'note' } });
      await buildVectorIndex(db, index, MEMORY);
      // All of the time is reserved for reading, so the comparison of all parts has one millisecond.
      const time = { untilMs: Date.now() + 60_000, readMs: 60_000 };
      const request = { vector: QUERY, limit: 20 };
      const { hits, exact, complete } = await searchObjects(db, index, { ...request, ...time });
      expect([exact, complete]).toEqual([false, false]);
      expect(hits.length).toBeGreaterThan(0);
      expect(hits.length).toBeLessThan(20);
      expect(hits.every(({ payload }) => payload === 'text')).toBe(true);
      const nothing = searchObjects(db, index, { ...request, ...time, filter: { kind: 'note' } });
      await expect(nothing).rejects.toMatchObject({ type: 'SearchTimeout', reason: 'database' });
      const late = searchObjects(db, index, { ...request, untilMs: Date.now() - 1 });
      await expect(late).rejects.toMatchObject({ type: 'SearchTimeout', reason: 'database' });
      expect(await searchObjects(db, index, { ...request, untilMs: null })).toMatchObject({
        exact: true,
        complete: true,
      });
    },
    120_000,
  );

  it('an index with fewer objects than the limit returns all, even after most were deleted or failed', async () => {
    const { db } = database();
    const index = await createIndex(db, { dimensions: 3 });
    await fill(db, index, { prefix: 'o', objects: 300, from: 0, to: 90 });
    await buildVectorIndex(db, index, MEMORY);
    await writeIn(
      db,
      index,
      Array.from({ length: 150 }, (_, at) => tombstone(`o${at + 1}`, 2)),
    );
    await writeIn(
      db,
      index,
      Array.from({ length: 100 }, (_, at) => failure(`o${at + 151}`, 2)),
    );
    const { hits, exact, complete } = await searchObjects(db, index, { vector: QUERY, limit: 100 });
    expect(idsOf(hits)).toEqual(Array.from({ length: 50 }, (_, at) => `o${at + 251}`));
    expect([exact, complete]).toEqual([true, true]);
  });

  it('payloads beyond the byte limit of an answer are omitted, as the hit says, best hits first', async () => {
    const { db } = database();
    const index = await createIndex(db, { dimensions: 3 });
    const object = (id: string, bytes: number, degrees: number) =>
      content(id, 1, {
        text: id[0]?.repeat(bytes - 2) ?? '',
        metadata: { of: id },
        parts: [{ part: 0, start: 0, end: 1, isAverage: false, embedding: away(degrees) }],
      });
    await writeIn(db, index, [object('a', 400, 1), object('b', 900, 2), object('c', 400, 3), object('d', 900, 4)]);
    const neighbors = ['a', 'b', 'c', 'd'].map((id, at) => ({ id, distance: at, part: 0 }));
    const read = (bytes: number) =>
      db.transaction().execute(async (trx) => {
        const hits = await readHits(trx, index, neighbors, { bytes });
        expect(idsOf(hits)).toEqual(['a', 'b', 'c', 'd']);
        return hits.map(({ payload, metadata, omitted }) => [String(payload ?? '').length, metadata, omitted]);
      });
    expect(await read(10_000)).toEqual([
      [398, { of: 'a' }, undefined],
      [898, { of: 'b' }, undefined],
      [398, { of: 'c' }, undefined],
      [898, { of: 'd' }, undefined],
    ]);
    expect(await read(1_000)).toEqual([
      [398, { of: 'a' }, undefined],
      [0, { of: 'b' }, ['payload']],
      [398, { of: 'c' }, undefined],
      [0, { of: 'd' }, ['payload']],
    ]);
    // The text of the first part has one byte.
    expect(await read(5)).toEqual([
      [0, {}, ['payload', 'metadata']],
      ...Array.from({ length: 3 }, () => [0, {}, ['payload', 'metadata', 'text']]),
    ]);
  });

  it('a page of objects ends at its byte limit, is never empty, and the stream returns all objects', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const sizes = [10, 5_000, 10, 10, 900, 20];
    await writeIn(
      db,
      index,
      sizes.map((size, at) => content(`o${at}`, 1, { text: 'x'.repeat(size) })),
    );
    const pages: string[][] = [];
    for (let after: string | null = null; ; ) {
      const page = await listObjects(db, index, { after, limit: 3, bytes: 1_000 });
      pages.push(idsOf(page.objects));
      if (page.next === null) break;
      after = page.next;
    }
    expect(pages).toEqual([['o0'], ['o1'], ['o2', 'o3', 'o4'], ['o5']]);
    const all: string[] = [];
    for await (const object of streamObjects(db, index, { pageSize: 2 })) {
      expect(object).toEqual(await getObject(db, index, object.id));
      all.push(object.id);
    }
    expect(all).toEqual(['o0', 'o1', 'o2', 'o3', 'o4', 'o5']);
    expect(await listObjects(db, index, { after: null, limit: 6 })).toMatchObject({ next: null });
    expect(await listObjects(db, index, { after: null, limit: 5 })).toMatchObject({ next: 'o4' });
  });

  it('recall is measured on objects across the whole index, not on the parts of one', async () => {
    const { db } = database();
    const index = await createIndex(db, { dimensions: 3 });
    await fill(db, index, { prefix: 'a-book-', objects: 1, parts: 2_000, from: 0, to: 30 });
    await fill(db, index, { prefix: 'note-', objects: 40, from: 40, to: 160 });
    await buildVectorIndex(db, index, MEMORY);
    const vectors: string[] = [];
    const seen = db.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        for (const row of result.rows) if (typeof row.embedding === 'string') vectors.push(row.embedding);
        return result;
      },
    });
    expect(await measureRecall(seen, index, { objects: 10, limit: 5 })).toBeGreaterThan(0.5);
    expect(new Set(vectors).size).toBe(10);
    expect(vectors.filter((vector) => JSON.parse(vector)[0] < Math.cos((35 * Math.PI) / 180)).length).toBeGreaterThan(
      8,
    );
  });
});
