import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReembedError } from '../../../src/contract/errors.ts';
import { type SourceDefinitionInput, sourceDefinitionSchema } from '../../../src/contract/sources.ts';
import { setAlias } from '../../../src/store/aliases.ts';
import { type Db, openDatabase } from '../../../src/store/database.ts';
import { checkSource } from '../../../src/store/sources/check.ts';
import { keyOf } from '../../../src/store/sources/check-table.ts';
import { inspectTable, type TableFacts } from '../../../src/store/sources/inspect.ts';
import { installSource, planSource } from '../../../src/store/sources/install.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { createIndex, uniqueName } from '../builders.ts';

let opened: TestDatabase;
let index: string;
beforeAll(async () => {
  opened = await openPostgresDatabase();
  index = (await createIndex(opened.db)).name;
});
afterAll(() => opened?.close());

const tableName = () => uniqueName('t').replaceAll('-', '_');
const execute = (statement: string) => sql.raw(statement).execute(opened.db);

function check(over: Partial<SourceDefinitionInput>, name = uniqueName('source'), db: Db = opened.db) {
  const definition = sourceDefinitionSchema.parse({ index, table: 'none', text: ['body'], ...over });
  return checkSource(opened.db, name, definition, () => db);
}

/** Problems by field. */
async function problemsOf(...given: Parameters<typeof check>): Promise<Record<string, string>> {
  const error = await check(...given).then(
    () => undefined,
    (thrown) => thrown as unknown,
  );
  if (error === undefined) return {};
  if (!(error instanceof ReembedError) || error.type !== 'InvalidInput') throw error;
  return Object.fromEntries(error.issues.map(({ path, message }) => [path, message]));
}

async function makeTable(columns: string): Promise<string> {
  const table = tableName();
  await execute(`create table ${table} (${columns})`);
  return table;
}

test('a table with a primary key is accepted, with the columns that objects are made of', async () => {
  const table = await makeTable(
    'id uuid primary key, title text, body text, lang varchar(2), price numeric, other int',
  );
  const { resolved } = await check({
    table,
    text: { template: '{title}: {body}' },
    metadata: ['lang', 'id'],
    where: { price: { gt: 0 } },
  });
  expect(resolved.table).toMatchObject({ schema: 'public', name: table, partitions: null });
  expect(resolved.key).toEqual([{ name: 'id', type: 'uuid' }]);
  expect(resolved.content).toEqual(['title', 'body', 'lang', 'price']);
  expect(resolved.indexNo).toBeTypeOf('number');
});

test('all problems are reported at once, by field, and nothing is changed', async () => {
  const table = await makeTable('"Id" int, body bytea, label float8');
  const problems = await problemsOf({
    index: 'no-such-index',
    table,
    key: ['Id', 'id', 'label'],
    text: ['body', 'titel'],
    metadata: ['label', 'Label'],
    where: { 'lable.deep': 'x' },
  });
  expect(problems).toEqual({
    index: expect.stringContaining('no index or alias no-such-index'),
    'key.0': expect.stringContaining('Id may be null'),
    'key.1': expect.stringContaining('no column id: did you mean Id?'),
    'key.2': expect.stringContaining('label may be null'),
    'text.0': expect.stringContaining('bytea'),
    'text.1': expect.stringContaining('no column titel'),
    'metadata.1': expect.stringContaining('did you mean label?'),
    'where.lable': expect.stringContaining('did you mean label?'),
  });
  const { rows } = await sql`select from reembed.sources`.execute(opened.db);
  expect(rows).toEqual([]);
});

test.each([
  ['no primary key', 'id int not null, body text', {}, 'key', 'no primary key'],
  ['a key that is not unique', 'id int not null, body text', { key: ['id'] }, 'key', 'no unique index on exactly id'],
  ['a key of floats', 'id float8 primary key, body text', {}, 'key', 'double precision'],
  ['a key of numeric of any scale', 'id numeric primary key, body text', {}, 'key', 'numeric(p,s)'],
  [
    'an address that is not text',
    'id int primary key, body text',
    { text: undefined, uriColumn: 'id' },
    'uriColumn',
    'integer',
  ],
  [
    'a time that is no time',
    'id int primary key, body text',
    { follow: 'poll', updatedAt: 'id' } as const,
    'updatedAt',
    'a timestamp',
  ],
])('a table with %s is refused', async (_name, columns, over, path, message) => {
  const problems = await problemsOf({ table: await makeTable(columns), ...over });
  expect(problems).toEqual({ [path]: expect.stringContaining(message) });
});

test('a column that is computed when it is read is refused', async (context) => {
  const { rows } = await sql<{ version: number }>`
    select current_setting('server_version_num')::int as version`.execute(opened.db);
  if ((rows[0]?.version ?? 0) < 180_000) return context.skip();
  const table = await makeTable('id int primary key, body text generated always as (upper(id::text)) virtual');
  expect(await problemsOf({ table })).toEqual({ 'text.0': expect.stringContaining('computed when it is read') });
});

test('a key of a collation in which different texts are equal is refused', async () => {
  const table = await makeTable('id text primary key, body text');
  const facts = (await inspectTable(opened.db, { schema: 'public', name: table })) as TableFacts;
  const definition = sourceDefinitionSchema.parse({ index, table, text: ['body'] });
  expect(keyOf(facts, definition).problems).toEqual([]);
  // Such a collation needs ICU, which not every server has.
  const columns = facts.columns.map((column) => ({ ...column, isDeterministic: column.name !== 'id' }));
  expect(keyOf({ ...facts, columns }, definition).problems).toMatchObject([{ path: 'key' }]);
});

test('a unique index over columns that are not null is a key, a partial one is none', async () => {
  const table = await makeTable('tenant text not null, no bigint not null, body text, unique (no, tenant)');
  expect((await check({ table, key: ['tenant', 'no'] })).resolved.key.map(({ name }) => name)).toEqual([
    'tenant',
    'no',
  ]);
  const partial = await makeTable('id int not null, body text');
  await execute(`create unique index on ${partial} (id) where id > 0`);
  expect(await problemsOf({ table: partial, key: ['id'] })).toEqual({
    key: expect.stringContaining('no unique index'),
  });
});

test.each([
  ['a view', (t: string) => `create view ${t} as select 1 as id, 'x' as body`, 'is a view'],
  ['an unlogged table', (t: string) => `create unlogged table ${t} (id int primary key, body text)`, 'unlogged'],
  [
    'a table that others inherit from',
    (t: string) => `create table ${t} (id int primary key, body text); create table ${t}_child () inherits (${t})`,
    'inherit',
  ],
])('%s is refused', async (_name, create, message) => {
  const table = tableName();
  await execute(create(table));
  expect((await problemsOf({ table })).table).toContain(message);
});

test('a table that a subscription writes is refused, also by one of its partitions, unless it is polled', async () => {
  const table = tableName();
  await execute(`create table ${table} (id int primary key, body text, at timestamptz) partition by range (id)`);
  await execute(`create table ${table}_a partition of ${table} for values from (0) to (10)`);
  await execute(
    `create subscription ${table} connection 'dbname=none' publication none with (connect = false, slot_name = none)`,
  );
  try {
    // As the refresh of a subscription that is connected does.
    await execute(`
      insert into pg_subscription_rel (srsubid, srrelid, srsubstate)
      select oid, '${table}_a'::regclass, 'r' from pg_subscription where subname = '${table}'`);
    expect(await problemsOf({ table })).toEqual({ table: expect.stringContaining('subscription') });
    expect(await problemsOf({ table, follow: 'poll', updatedAt: 'at' })).toEqual({});
  } finally {
    await execute(`drop subscription ${table}`);
  }
});

test('a partition is refused, and its partitioned table accepted', async () => {
  const table = tableName();
  await execute(`create table ${table} (id int primary key, body text) partition by range (id)`);
  await execute(`create table ${table}_a partition of ${table} for values from (0) to (10)`);
  expect(await problemsOf({ table: `${table}_a` })).toEqual({ table: expect.stringContaining('is a partition') });
  expect((await check({ table })).resolved.table.partitions).toMatchObject([{ name: `${table}_a` }]);
});

test('a missing table is reported with those of a similar name', async () => {
  const name = `Articles_${uniqueName().slice(-8)}`;
  await execute(`create table "${name}" (id int primary key, body text)`);
  expect(await problemsOf({ table: name.toLowerCase() })).toEqual({
    table: expect.stringContaining(`did you mean public.${name}?`),
  });
  expect(await problemsOf({ table: { schema: 'public', name } })).toEqual({});
});

test('tables of reembed and of Postgres are refused', async () => {
  expect((await problemsOf({ table: 'reembed.indexes', text: ['name'] })).table).toContain('schema reembed');
  expect((await problemsOf({ table: 'pg_catalog.pg_class', text: ['relname'] })).table).toContain('schema pg_catalog');
});

test('missing rights of the role are reported by name', async () => {
  const table = await makeTable('id int primary key, body text');
  const role = `reader_${randomUUID().slice(0, 8)}`;
  await execute(`create role ${role} login password 'secret'`);
  const url = new URL(opened.url);
  url.username = role;
  url.password = 'secret';
  const db = openDatabase({ url: url.href, maxConnections: 1 });
  try {
    const none = await problemsOf({ table }, undefined, db);
    expect(none).toEqual({
      connectionEnv: expect.stringContaining('create tables in the schema reembed'),
      table: expect.stringContaining('create triggers'),
    });
    await execute(`grant create, usage on schema reembed to ${role}`);
    await execute(`grant select, trigger on ${table} to ${role}`);
    expect(await problemsOf({ table }, undefined, db)).toEqual({});
    await execute(`alter table ${table} enable row level security`);
    expect((await problemsOf({ table }, undefined, db)).table).toContain('row-level security');
  } finally {
    await db.destroy();
    await execute(`drop owned by ${role}`);
    await execute(`drop role ${role}`);
  }
});

test('a second source on an index is refused, also by its alias', async () => {
  const { name } = await createIndex(opened.db);
  const alias = uniqueName('alias');
  await setAlias(opened.db, alias, name, { force: true });
  const [first, second] = [
    await makeTable('id int primary key, body text'),
    await makeTable('id int primary key, body text'),
  ];
  await installSource(opened.db, opened.db, 'first', await check({ index: alias, table: first }, 'first'));
  for (const one of [alias, name]) {
    expect(await problemsOf({ index: one, table: second }, 'second')).toEqual({
      index: expect.stringContaining(`the source first writes to ${alias}`),
    });
  }
});

test('an existing source keeps its table, key and index', async () => {
  const { name } = await createIndex(opened.db);
  const table = await makeTable('id int primary key, no int not null unique, body text');
  await installSource(opened.db, opened.db, 'kept', await check({ index: name, table }, 'kept'));
  expect(await problemsOf({ index: name, table, metadata: ['no'] }, 'kept')).toEqual({});
  expect(Object.keys(await problemsOf({ table: 'other', key: ['no'] }, 'kept'))).toEqual(['index', 'table', 'key']);
});

test('the plan has the statements, and none of them has run', async () => {
  const table = await makeTable('id int primary key, body text');
  const plan = await planSource(opened.db, await check({ table }));
  expect(plan.filter((statement) => statement.startsWith('create trigger'))).toHaveLength(4);
  const { rows } = await sql`select from pg_trigger where tgrelid = ${table}::regclass`.execute(opened.db);
  expect(rows).toEqual([]);
});
