import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { countWords } from '../../src/models/tokens.ts';
import { splitText } from '../../src/pipeline/split.ts';
import { createIndex, tombstone, uniqueName, writeIn } from '../store/builders.ts';
import { onBothDatabases } from '../support/databases.ts';
import { givenSource, plan, putTexts, textsOf } from './support.ts';

const HASH = { provider: 'hash', dimensions: 64 } as const;
const SMALL_PARTS = { chunkSize: 100, chunkOverlap: 10 };
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

onBothDatabases((database) => {
  test('the plan of a small source is exact', async () => {
    const { db } = database();
    const texts = textsOf(120);
    const source = await givenSource(db, texts);
    const made = await plan(db, { source: source.name, dest: uniqueName(), destModel: HASH });
    expect(made).toMatchObject({
      source: source.name,
      destExists: false,
      objects: { value: 120, basis: 'exact' },
      copied: { value: 120, basis: 'exact' },
      reused: { value: 0, basis: 'exact' },
      failing: { value: 0, basis: 'exact' },
      parts: { value: 120, basis: 'exact' },
      tokens: { value: sum(await countWords(texts)), basis: 'exact' },
      // One for all texts, after the one that checks the model.
      calls: { value: 2 },
      usd: { value: 0, basis: 'exact' },
      longTexts: { value: 0, basis: 'exact' },
      sample: { objects: 120, isWhole: true },
      obstacles: [],
      warnings: [],
    });
    expect(made.seconds.total.value).toBeGreaterThan(0);
    expect(made.disk.together.value).toBe((made.disk.source.value ?? 0) + (made.disk.dest.value ?? 0));
  });

  test('a sample says nearly as much as all objects', async () => {
    const { db } = database();
    const texts = textsOf(1_500);
    const source = await givenSource(db, texts);
    const made = await plan(db, { source: source.name, dest: uniqueName(), destModel: HASH, sampleObjects: 300 });
    const tokens = sum(await countWords(texts));
    expect(made).toMatchObject({
      parts: { value: 1_500, basis: 'exact', from: expect.stringContaining('splitter is the same') },
      tokens: { basis: 'sampled' },
      failing: { value: 0, basis: 'sampled' },
      sample: { objects: 300, isWhole: false },
    });
    expect(made.tokens.value).toBeGreaterThan(tokens * 0.9);
    expect(made.tokens.value).toBeLessThan(tokens * 1.1);
  });

  test('another splitter is tried out on the sample', async () => {
    const { db } = database();
    const texts = textsOf(1_000);
    const source = await givenSource(db, texts);
    const made = await plan(db, {
      ...{ source: source.name, dest: uniqueName(), destModel: HASH },
      ...{ destSplitter: SMALL_PARTS, sampleObjects: 250 },
    });
    const parts = await Promise.all(texts.map((text) => splitText(text, SMALL_PARTS)));
    const count = parts.flat().length;
    expect(made.parts).toMatchObject({ basis: 'sampled', from: expect.stringContaining('split as the destination') });
    expect(made.parts.value).toBeGreaterThan(count * 0.9);
    expect(made.parts.value).toBeLessThan(count * 1.1);
  });

  test('what a partly built destination has is not counted again', async () => {
    const { db } = database();
    const texts = textsOf(90);
    const source = await givenSource(db, texts);
    const dest = await createIndex(db, { model: HASH });
    // The vectors of these fit, but their versions are older than in the source.
    await putTexts(db, dest, texts.slice(0, 30));
    await putTexts(db, source, texts);
    const made = await plan(db, { source: source.name, dest: dest.name });
    expect(made).toMatchObject({
      destExists: true,
      model: { provider: 'hash', dimensions: 64 },
      copied: { value: 90, basis: 'exact' },
      reused: { value: 30, basis: 'exact' },
      parts: { value: 60, basis: 'exact' },
      tokens: { value: sum(await countWords(texts.slice(30))) },
    });
  });

  test('a complete destination needs no call', async () => {
    const { db } = database();
    const source = await givenSource(db, textsOf(20));
    const dest = await createIndex(db, { model: HASH });
    await sql`
      insert into ${sql.id('reembed', `objects_${dest.no}`)}
      select ${dest.no}, object_id, version, change, deleted, deleted_version, failed, payload, metadata, original_id,
        uri, hash, write_time
      from ${sql.id('reembed', `objects_${source.no}`)}`.execute(db);
    const made = await plan(db, { source: source.name, dest: dest.name, destExisting: 'replace' });
    expect(made).toMatchObject({ copied: { value: 0 }, parts: { value: 0 }, tokens: { value: 0 }, probe: null });
    expect(made.calls.value).toBe(1);
  });

  test('deleted objects are not counted', async () => {
    const { db } = database();
    const source = await givenSource(db, textsOf(10));
    await writeIn(db, source, [tombstone('object-000003', 1_000_000)]);
    const made = await plan(db, { source: source.name, dest: uniqueName(), destModel: HASH });
    expect(made).toMatchObject({ objects: { value: 9 }, parts: { value: 9 }, sample: { objects: 9, isWhole: true } });
  });

  test('objects that cannot be embedded are counted, with a warning if there are too many', async () => {
    const { db } = database();
    const source = await givenSource(db, [...textsOf(10), ' ', '\n']);
    const body = { source: source.name, dest: uniqueName(), destModel: HASH };
    const made = await plan(db, body);
    expect(made).toMatchObject({ failing: { value: 2, basis: 'exact' }, parts: { value: 10 } });
    expect(made.warnings).toEqual([expect.stringContaining('2 EmptyText')]);
    expect((await plan(db, { ...body, maxFailed: 2 })).warnings).toEqual([]);
  });

  test('an empty source has an empty plan', async () => {
    const { db } = database();
    const source = await createIndex(db);
    const made = await plan(db, { source: source.name, dest: uniqueName(), destModel: HASH });
    expect(made).toMatchObject({
      objects: { value: 0, basis: 'exact' },
      parts: { value: 0, basis: 'exact' },
      tokens: { value: 0 },
      calls: { value: 1 },
      seconds: { copy: { value: 0 }, build: { value: 0 } },
      probe: null,
    });
  });

  test('a plan changes nothing in the database', async () => {
    const { db } = database();
    const source = await givenSource(db, textsOf(20));
    const dest = await createIndex(db, { model: HASH });
    const before = await stateOf(db);
    await plan(db, { source: source.name, dest: dest.name });
    await plan(db, { source: source.name, dest: uniqueName(), destModel: HASH });
    expect(await stateOf(db)).toEqual(before);
  });
});

/** All rows of all tables of the product, by table, and where they are stored. */
async function stateOf(db: Parameters<typeof plan>[0]): Promise<Record<string, unknown[]>> {
  const { rows: tables } = await sql<{ name: string }>`
    select relname as name from pg_class where relnamespace = 'reembed'::regnamespace and relkind = 'r' order by 1`.execute(
    db,
  );
  const state: Record<string, unknown[]> = {};
  for (const { name } of tables) {
    const { rows } = await sql`select ctid, xmin, t::text from ${sql.id('reembed', name)} t order by ctid`.execute(db);
    state[name] = rows;
  }
  return state;
}
