import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { channelOf, outboxOf } from '../../../src/store/sources/names.ts';
import { removeSql } from '../../../src/store/sources/triggers.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { uniqueName } from '../builders.ts';
import { follow, run, takeChanges, Writer } from './world.ts';

let opened: TestDatabase;
let writer: Writer;
beforeAll(async () => {
  opened = await openPostgresDatabase();
  writer = await Writer.create(opened.db);
});
afterAll(async () => {
  await writer?.drop();
  await opened?.close();
});

const tableName = () => uniqueName('t').replaceAll('-', '_');
const execute = (statement: string) => sql.raw(statement).execute(opened.db);

/** A followed table with the rows 1 to 3, whose outbox is empty. */
async function followedTable() {
  const table = tableName();
  await execute(`create table ${table} (id int primary key, body text, other int)`);
  await execute(`insert into ${table} select i, 'body ' || i, 0 from generate_series(1, 3) i`);
  return { table, source: await follow(opened.db, table) };
}

/** Statements by what they are, and the keys that they must leave in the outbox. */
const ONE_TABLE: [string, (table: string) => string | string[], string[]][] = [
  ['an insert of rows', (t) => `insert into ${t} values (4, 'four', 0), (5, null, 0)`, ['4', '5']],
  ['an update of a used column', (t) => `update ${t} set body = 'new' where id < 3`, ['1', '2']],
  ['an update to null', (t) => `update ${t} set body = null where id = 1`, ['1']],
  ['an update of another column', (t) => `update ${t} set other = other + 1`, []],
  ['an update to the same value', (t) => `update ${t} set body = body`, []],
  ['an update of no row', (t) => `update ${t} set body = 'new' where id = 99`, []],
  ['a delete', (t) => `delete from ${t} where id > 1`, ['2', '3']],
  ['a change of a key', (t) => `update ${t} set id = 7 where id = 1`, ['1', '7']],
  ['a shift of all keys', (t) => `update ${t} set id = -id`, ['-1', '-2', '-3', '1', '2', '3']],
  ['a truncate', (t) => `truncate ${t}`, ['all']],
  [
    'an insert that updates on conflict',
    (t) => `insert into ${t} values (3, 'new', 0), (4, 'four', 0) on conflict (id) do update set body = excluded.body`,
    ['3', '4'],
  ],
  [
    'an insert that does nothing on conflict',
    (t) => `insert into ${t} values (3, 'new', 0), (4, 'four', 0) on conflict do nothing`,
    ['4'],
  ],
  [
    'a merge',
    (t) => `
      merge into ${t} t using (values (1), (2), (4)) s (id) on t.id = s.id
      when matched and t.id = 1 then delete
      when matched then update set body = 'merged'
      when not matched then insert values (s.id, 'merged', 0)`,
    ['1', '2', '4'],
  ],
  [
    'a statement with several writes',
    (t) =>
      `with gone as (delete from ${t} where id = 1 returning *) insert into ${t} select id + 10, body, 0 from gone`,
    ['1', '11'],
  ],
  [
    'two statements of a transaction',
    (t) => [`delete from ${t} where id = 1`, `insert into ${t} values (1)`],
    ['1', '1'],
  ],
  [
    'a savepoint that is rolled back',
    (t) => [`delete from ${t} where id = 1`, 'savepoint s', `delete from ${t} where id = 2`, 'rollback to s'],
    ['1'],
  ],
];

test.each(ONE_TABLE)('%s leaves its keys', async (_name, statementsOf, keys) => {
  const { table, source } = await followedTable();
  await writer.write(...[statementsOf(table)].flat());
  expect(await takeChanges(opened.db, source)).toEqual(keys);
});

test('a transaction that is rolled back leaves nothing', async () => {
  const { table, source } = await followedTable();
  await expect(writer.write(`delete from ${table}`, 'select 1 / 0')).rejects.toThrow('division by zero');
  expect(await takeChanges(opened.db, source)).toEqual([]);
});

test('COPY leaves its keys', async () => {
  const { table, source } = await followedTable();
  const client = new pg.Client({ connectionString: opened.url });
  await client.connect();
  await new Promise<void>((resolve, reject) => {
    client.query(new CopyIn(`copy ${table} from stdin`, '4\tfour\t0\n5\tfive\t0\n', resolve, reject));
  }).finally(() => client.end());
  expect(await takeChanges(opened.db, source)).toEqual(['4', '5']);
});

interface CopyConnection extends pg.Connection {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** A COPY with its rows, which a query of node-postgres cannot have. */
class CopyIn implements pg.Submittable {
  private readonly statement: string;
  private readonly rows: string;
  private readonly done: () => void;
  readonly handleError: (error: Error) => void;

  constructor(statement: string, rows: string, done: () => void, handleError: (error: Error) => void) {
    this.statement = statement;
    this.rows = rows;
    this.done = done;
    this.handleError = handleError;
  }

  submit(connection: pg.Connection): void {
    connection.query(this.statement);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(Buffer.from(this.rows));
    connection.endCopyFrom();
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.done();
  }
}

test.each(['cascade', 'set null', 'set default'] as const)(
  '`on delete %s` of a foreign key leaves keys',
  async (action) => {
    const [parent, table] = [tableName(), tableName()];
    await execute(`create table ${parent} (id int primary key)`);
    await execute(`insert into ${parent} values (0), (1), (2)`);
    const reference = `int default 0 references ${parent} on delete ${action} on update cascade`;
    await execute(`create table ${table} (id int primary key, body ${reference})`);
    await execute(`insert into ${table} values (10, 1), (11, 1), (12, 2)`);
    const source = await follow(opened.db, table);
    await writer.write(`delete from ${parent} where id = 1`);
    expect(await takeChanges(opened.db, source)).toEqual(['10', '11']);
    await writer.write(`update ${parent} set id = 3 where id = 2`);
    expect(await takeChanges(opened.db, source)).toEqual(['12']);
  },
);

test('a truncate that cascades leaves a change of all rows', async () => {
  const [parent, table] = [tableName(), tableName()];
  await execute(`create table ${parent} (id int primary key)`);
  await execute(`create table ${table} (id int primary key, body int references ${parent})`);
  const source = await follow(opened.db, table);
  await writer.write(`truncate ${parent} cascade`);
  expect(await takeChanges(opened.db, source)).toEqual(['all']);
});

test('keys of several columns have the same texts in every session', async () => {
  const table = tableName();
  await execute(`
    create table ${table} (
      name text, day date, at timestamptz, code char(4), id uuid, body text, primary key (name, day, at, code, id)
    )`);
  const source = await follow(opened.db, table, {
    key: [
      { name: 'name', type: 'text' },
      { name: 'day', type: 'date' },
      { name: 'at', type: 'timestamp with time zone' },
      { name: 'code', type: 'character(4)' },
      { name: 'id', type: 'uuid' },
    ],
  });
  const id = '0b0c8a0e-4f3b-4b57-8a29-1f1b9f3a1c55';
  await writer.write(
    "set local timezone = 'Asia/Tokyo'",
    "set local datestyle = 'German'",
    `insert into ${table} values ('a "quoted" ключ', '2026-02-01', '2026-02-01 12:00+01', 'ab', '${id}')`,
  );
  expect(await takeChanges(opened.db, source)).toEqual([
    JSON.stringify(['a "quoted" ключ', '2026-02-01', '2026-02-01T11:00:00+00:00', 'ab  ', id]),
  ]);
});

test('tables and columns may have names with quotes, capitals, dots and other letters', async () => {
  const table = `Ta"ble's ${uniqueName()}.Ü`;
  await execute(`create table "${table.replace('"', '""')}" ("Id" int primary key, "bo""dy'$reembed" text)`);
  const source = await follow(opened.db, table, {
    key: [{ name: 'Id', type: 'integer' }],
    content: [`bo"dy'$reembed`],
  });
  await writer.write(`insert into "${table.replace('"', '""')}" values (1, 'x')`);
  expect(await takeChanges(opened.db, source)).toEqual(['1']);
});

test('columns of types without equality are compared by what is stored', async () => {
  const table = tableName();
  await execute(`create table ${table} (id int primary key, body json, number numeric, place point)`);
  await execute(`insert into ${table} values (1, '{}', 1.0, '(1,2)'), (2, '{}', 1.0, '(1,2)')`);
  const source = await follow(opened.db, table, { content: ['body', 'number', 'place'] });
  await writer.write(`update ${table} set body = '{ }' where id = 1`, `update ${table} set number = 1.00 where id = 2`);
  expect(await takeChanges(opened.db, source)).toEqual(['1', '2']);
  await writer.write(`update ${table} set body = '{ }', place = '(1,2)' where id = 1`);
  expect(await takeChanges(opened.db, source)).toEqual([]);
});

test.each([
  ['a used column is renamed', (t: string) => `alter table ${t} rename column body to content`],
  ['a used column is dropped', (t: string) => `alter table ${t} drop column body`],
  ['the key is renamed', (t: string) => `alter table ${t} rename column id to no`],
])('writes continue after %s, and leave a change without a key', async (_name, alter) => {
  const { table, source } = await followedTable();
  // The function has its plans by now.
  await writer.write(`update ${table} set body = 'first'`, `delete from ${table} where id = 3`);
  await takeChanges(opened.db, source);
  await execute(alter(table));
  await writer.write(`insert into ${table} values (9)`, `update ${table} set other = 9`, `delete from ${table}`);
  expect(await takeChanges(opened.db, source)).toEqual(['drift', 'drift', 'drift']);
});

test('changes of other columns, and of the type of a used column, are no drift', async () => {
  const { table, source } = await followedTable();
  await writer.write(`update ${table} set body = 'first' where id = 1`);
  await execute(`alter table ${table} drop column other`);
  await execute(`alter table ${table} add column more int default 3`);
  await execute(`alter table ${table} alter column body type json using to_json(body)`);
  await takeChanges(opened.db, source);
  await writer.write(`update ${table} set body = '"new"' where id = 1`, `update ${table} set more = 4`);
  expect(await takeChanges(opened.db, source)).toEqual(['1']);
});

test('writes continue without the outbox, and after all of the source is removed', async () => {
  const { table, source } = await followedTable();
  await execute(`drop table ${outboxOf(source.no)}`);
  await writer.write(`update ${table} set body = 'x'`, `truncate ${table}`);
  await run(opened.db, removeSql(source.no));
  await writer.write(`insert into ${table} values (1)`);
  const { rows } = await sql`select from pg_trigger where tgrelid = ${table}::regclass`.execute(opened.db);
  expect(rows).toEqual([]);
});

test('what a dropped table leaves is removed', async () => {
  const { table, source } = await followedTable();
  await execute(`drop table ${table}`);
  await run(opened.db, removeSql(source.no));
  const { rows } = await sql`
    select proname from pg_proc where proname like ${`source_${source.no}_%`}`.execute(opened.db);
  expect(rows).toEqual([]);
});

test('a statement that changes rows notifies, and another does not', async () => {
  const { table, source } = await followedTable();
  const client = new pg.Client({ connectionString: opened.url });
  await client.connect();
  const heard: string[] = [];
  client.on('notification', ({ channel }) => void heard.push(channel));
  try {
    await client.query(`listen ${channelOf(source.no)}`);
    // A session hears what it sends itself at the end of its statement.
    await client.query(`update ${table} set other = 1`);
    expect(heard).toEqual([]);
    await client.query(`update ${table} set body = 'new'`);
    expect(heard).toEqual([channelOf(source.no)]);
  } finally {
    await client.end();
  }
});
