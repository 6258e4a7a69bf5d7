import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { uniqueName } from '../builders.ts';
import { follow, takeChanges, Writer } from './world.ts';

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

const execute = (statement: string) => sql.raw(statement).execute(opened.db);

/** A followed table whose outbox is empty, with partitions: a for keys below 10, b and c below the partition bc, for others. */
async function followedPartitions() {
  const table = uniqueName('t').replaceAll('-', '_');
  await execute(`create table ${table} (id int primary key, body text, other int) partition by range (id)`);
  await execute(`create table ${table}_a partition of ${table} for values from (0) to (10)`);
  await execute(`create table ${table}_bc partition of ${table} for values from (10) to (30) partition by range (id)`);
  // The columns of this partition have another order.
  await execute(`create table ${table}_b (other int, body text, id int not null)`);
  await execute(`alter table ${table}_bc attach partition ${table}_b for values from (10) to (20)`);
  await execute(`create table ${table}_c partition of ${table}_bc for values from (20) to (30)`);
  await execute(`insert into ${table} values (1, 'one', 0), (11, 'eleven', 0), (21, 'twenty-one', 0)`);
  return { table, source: await follow(opened.db, table) };
}

/** Statements on a partitioned table, through it and on its partitions. */
const PARTITIONED: [string, (table: string) => string, string[]][] = [
  ['an insert', (t) => `insert into ${t} values (2), (12), (22)`, ['12', '2', '22']],
  ['an insert into a partition', (t) => `insert into ${t}_b (id) values (12)`, ['12']],
  ['an insert into a partition with partitions', (t) => `insert into ${t}_bc values (12), (22)`, ['12', '22']],
  ['an update', (t) => `update ${t} set body = 'new'`, ['1', '11', '21']],
  ['an update of another column', (t) => `update ${t} set other = 5`, []],
  ['an update of a partition', (t) => `update ${t}_b set body = 'new'`, ['11']],
  ['an update of another column of a partition', (t) => `update ${t}_b set other = 5`, []],
  ['a move to another partition', (t) => `update ${t} set id = 13 where id = 1`, ['1', '13']],
  ['a move below a partition', (t) => `update ${t}_bc set id = 13 where id = 21`, ['13', '21']],
  ['a delete', (t) => `delete from ${t} where id > 5`, ['11', '21']],
  ['a delete from a partition', (t) => `delete from ${t}_a`, ['1']],
  [
    'a merge',
    (t) => `
      merge into ${t} t using (values (1), (11), (5)) s (id) on t.id = s.id
      when matched and t.id = 1 then delete
      when matched then update set body = 'merged'
      when not matched then insert values (s.id)`,
    ['1', '11', '5'],
  ],
  ['a truncate of a partition', (t) => `truncate ${t}_c`, ['all']],
];

describe('in a partitioned table', () => {
  test.each(PARTITIONED)('%s leaves its keys', async (_name, statementOf, keys) => {
    const { table, source } = await followedPartitions();
    await writer.write(statementOf(table));
    expect(await takeChanges(opened.db, source)).toEqual(keys);
  });

  test('a truncate leaves changes of all rows', async () => {
    const { table, source } = await followedPartitions();
    await writer.write(`truncate ${table}`);
    expect(new Set(await takeChanges(opened.db, source))).toEqual(new Set(['all']));
  });

  test.each(['directly', 'through its parent'])('writes to a partition that came later leave keys, %s', async (way) => {
    const { table, source } = await followedPartitions();
    await execute(`create table ${table}_later (id int not null, body text, other int)`);
    await execute(`alter table ${table} attach partition ${table}_later for values from (30) to (40)`);
    await execute(`create table ${table}_made partition of ${table} for values from (40) to (50)`);
    const [later, made] = way === 'directly' ? [`${table}_later`, `${table}_made`] : [table, table];
    await writer.write(`insert into ${later} values (31), (32)`, `insert into ${made} values (41), (42)`);
    expect(new Set(await takeChanges(opened.db, source))).toEqual(new Set(['31', '32', '41', '42']));
    await writer.write(`update ${later} set body = 'new' where id = 31`, `update ${made} set other = 1 where id = 42`);
    expect(new Set(await takeChanges(opened.db, source))).toEqual(new Set(['31']));
    await writer.write(`update ${later} set id = 33 where id = 32`, `delete from ${made} where id = 41`);
    expect(new Set(await takeChanges(opened.db, source))).toEqual(new Set(['32', '33', '41']));
    await writer.write(`update ${table} set id = 43 where id = 33`, `update ${table} set id = 2 where id = 42`);
    expect(new Set(await takeChanges(opened.db, source))).toEqual(new Set(['33', '43', '42', '2']));
  });
});
