import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { transaction } from '../../../src/store/database.ts';
import {
  countRows,
  findWantedKeys,
  type ReadTable,
  readKeysAfter,
  readRowsAfter,
  readRowsByKey,
} from '../../../src/store/sources/table-rows.ts';
import { SQLSTATE } from '../../../src/store/sqlstate.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { uniqueName } from '../builders.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openPostgresDatabase();
});
afterAll(() => database?.close());

const execute = (statement: string) => sql.raw(statement).execute(database.db);

/** A table whose columns are read as the test wants; the columns are given as in SQL. */
async function givenTable(columns: string, over: Partial<ReadTable> = {}): Promise<ReadTable> {
  const name = uniqueName('t');
  await execute(`create table "${name}" (${columns})`);
  return {
    schema: 'public',
    name,
    key: [{ name: 'id', type: 'integer' }],
    types: new Map(),
    textColumns: ['body'],
    uriColumn: null,
    metadataColumns: [],
    where: undefined,
    filterColumns: [],
    ...over,
  };
}

test('rows are read by key, with those that are missing left out', async () => {
  const table = await givenTable('id int primary key, body text');
  await execute(`insert into "${table.name}" values (1, 'one'), (2, null), (3, 'three')`);
  const { rows, left } = await readRowsByKey(database.db, table, [['3'], ['4'], ['2']]);
  expect(rows).toMatchObject([
    { key: ['3'], texts: ['three'] },
    { key: ['2'], texts: [null] },
  ]);
  expect(left).toEqual([]);
});

test('a key of several columns, and of types whose text depends on the session, finds its row', async () => {
  const table = await givenTable('at timestamptz, name "char", d date, body text, primary key (at, name, d)', {
    key: [
      { name: 'at', type: 'timestamp with time zone' },
      { name: 'name', type: '"char"' },
      { name: 'd', type: 'date' },
    ],
  });
  await execute(`insert into "${table.name}" values ('2026-03-04 05:06:07.5+02', 'x', '2026-12-31', 'found')`);
  const { rows } = await readRowsAfter(database.db, table, { after: null, limit: 10 });
  const key = ['2026-03-04T03:06:07.5+00:00', 'x', '2026-12-31'];
  expect(rows.map((row) => row.key)).toEqual([key]);
  expect((await readRowsByKey(database.db, table, [key])).rows).toMatchObject([{ key, texts: ['found'] }]);
});

test('rows that are too many bytes for one read are left, but one is always read', async () => {
  const table = await givenTable('id int primary key, body text');
  await execute(`alter table "${table.name}" alter column body set storage external`);
  await execute(`insert into "${table.name}" select i, repeat('x', 3000000) from generate_series(1, 3) i`);
  const first = await readRowsByKey(database.db, table, [['1'], ['2'], ['3']]);
  expect(first.rows.map(({ key }) => key)).toEqual([['1'], ['2']]);
  expect(first.left).toEqual([['3']]);
  expect((await readRowsAfter(database.db, table, { after: ['2'], limit: 10 })).rows).toHaveLength(1);
});

test('a text of more than 10 MB is not read, and its row is', async () => {
  const table = await givenTable('id int primary key, body text', { metadataColumns: ['id'] });
  await execute(`insert into "${table.name}" values (1, repeat('x', 20000000))`);
  const { rows } = await readRowsByKey(database.db, table, [['1']]);
  expect(rows).toMatchObject([{ key: ['1'], texts: null, metadata: { id: 1 } }]);
});

test('values are read as JSON that every reader reads exactly', async () => {
  const types: [string, string, unknown][] = [
    ['bigint', '9007199254740991', 9_007_199_254_740_991],
    ['bigint', '9007199254740993', '9007199254740993'],
    ['numeric', '12.50', 12.5],
    ['numeric', '123456789012345678.25', '123456789012345678.25'],
    ['numeric', "'NaN'", 'NaN'],
    ['numeric', '1e-400', `0.${'0'.repeat(399)}1`],
    ['double precision', "'Infinity'", 'Infinity'],
    ['boolean', 'true', true],
    ['timestamptz', "'2026-01-02 03:04:05+05'", '2026-01-01T22:04:05+00:00'],
    ['text[]', "array['a', null]", ['a', null]],
    ['jsonb', `'{"a": [1]}'`, { a: [1] }],
    ['bigint[]', "'{9007199254740991, 9007199254740993}'", [9_007_199_254_740_991, '9007199254740993']],
    ['numeric[]', "'{12.50, 0.1234567890123456789}'", [12.5, '0.1234567890123456789']],
    [
      'jsonb',
      `'{"1234567890123456789": ["\\" 1234567890123456789", 1234567890123456789, -1e-400, 1e300]}'`,
      { '1234567890123456789': ['" 1234567890123456789', '1234567890123456789', `-0.${'0'.repeat(399)}1`, 1e300] },
    ],
    ['int', 'null', null],
  ];
  const names = types.map((_, at) => `c${at}`);
  const table = await givenTable(
    `id int primary key, body text, ${types.map(([type], at) => `c${at} ${type}`).join()}`,
    {
      metadataColumns: names,
      types: new Map(types.map(([type], at) => [`c${at}`, type])),
    },
  );
  await execute(`insert into "${table.name}" values (1, '', ${types.map(([, value]) => value).join()})`);
  const { rows } = await readRowsByKey(database.db, table, [['1']]);
  expect(rows[0]?.metadata).toEqual(Object.fromEntries(types.map(([, , value], at) => [`c${at}`, value])));
});

test('a table may have columns of any name, and all of its columns may be metadata', async () => {
  const names = ['place', 'key', 'wanted', 'weight', 'metadata', ...Array.from({ length: 95 }, (_, at) => `c${at}`)];
  const table = await givenTable(`id int primary key, body text, ${names.map((name) => `${name} int`).join()}`, {
    metadataColumns: names,
    where: { place: { gt: 1 } },
    filterColumns: names,
  });
  const valuesOf = (row: number) => names.map((_, at) => row + at);
  await execute(
    `insert into "${table.name}" values (2, 'b', ${valuesOf(20).join()}), (1, 'a', ${valuesOf(10).join()})`,
  );
  const { rows } = await readRowsAfter(database.db, table, { after: null, limit: 10 });
  expect(rows.map(({ key, metadata }) => [key, metadata])).toEqual([
    [['1'], Object.fromEntries(names.map((name, at) => [name, 10 + at]))],
    [['2'], Object.fromEntries(names.map((name, at) => [name, 20 + at]))],
  ]);
  expect(await readKeysAfter(database.db, table, { after: ['1'], limit: 10 })).toEqual([['2']]);
});

test('a row that does not pass the filter is read as not wanted, and its key is not found', async () => {
  const where = { lang: 'en', price: { lt: 10 } };
  const table = await givenTable('id int primary key, body text, lang text, price numeric', {
    where,
    filterColumns: ['lang', 'price'],
    types: new Map([['price', 'numeric']]),
  });
  await execute(`insert into "${table.name}" values (1, 'a', 'en', 9.5), (2, 'b', 'en', 10), (3, 'c', null, 1)`);
  const { rows } = await readRowsByKey(database.db, table, [['1'], ['2'], ['3']]);
  expect(rows.map(({ wanted, texts }) => [wanted, texts])).toEqual([
    [true, ['a']],
    [false, null],
    [false, null],
  ]);
  expect(await findWantedKeys(database.db, table, [['3'], ['1'], ['9']])).toEqual([['1']]);
});

test('row-level security that came later fails the read, and hides no row from it', async () => {
  const table = await givenTable('id int primary key, body text');
  await execute(`insert into "${table.name}" values (1, 'one')`);
  const role = uniqueName('reader').replaceAll('-', '_');
  await execute(`create role ${role}; grant select on "${table.name}" to ${role}`);
  const read = () =>
    transaction(database.db, async (trx) => {
      await sql.raw(`set local role ${role}`).execute(trx);
      return readRowsByKey(trx, table, [['1']]);
    });
  try {
    expect((await read()).rows).toHaveLength(1);
    await execute(`alter table "${table.name}" enable row level security`);
    await expect(read()).rejects.toMatchObject({ code: SQLSTATE.insufficientPrivilege });
  } finally {
    await execute(`drop owned by ${role}; drop role ${role}`);
  }
});

test('rows are read in the order of a key of several columns, page by page', async () => {
  const key = [
    { name: 'a', type: 'integer' },
    { name: 'b', type: 'text' },
  ];
  const table = await givenTable('a int, b text collate "C", body text, primary key (a, b)', { key });
  await execute(`insert into "${table.name}" select i / 3, 'k' || i % 3, 'x' from generate_series(0, 7) i`);
  const read: string[][] = [];
  for (let isLast = false; !isLast; ) {
    const page = await readRowsAfter(database.db, table, { after: read.at(-1) ?? null, limit: 3 });
    read.push(...page.rows.map((row) => row.key));
    ({ isLast } = page);
  }
  expect(read).toEqual(await readKeysAfter(database.db, table, { after: null, limit: 100 }));
  expect(read).toHaveLength(8);
  expect(await countRows(database.db, table)).toBe(8);
});
