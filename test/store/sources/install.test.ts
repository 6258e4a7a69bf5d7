import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SourceDefinitionInput, sourceDefinitionSchema } from '../../../src/contract/sources.ts';
import { adoptPartitions, adoptShape } from '../../../src/store/sources/adopt.ts';
import { readBacklog } from '../../../src/store/sources/backlog.ts';
import { checkSource } from '../../../src/store/sources/check.ts';
import { readDrift } from '../../../src/store/sources/drift.ts';
import { forgetDrift, installSource, uninstallSource } from '../../../src/store/sources/install.ts';
import { outboxOf } from '../../../src/store/sources/names.ts';
import { findSource, getSource, listSources, type SourceRow, setSourceState } from '../../../src/store/sources/rows.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { createIndex, uniqueName } from '../builders.ts';
import { openTransaction } from '../concurrency.ts';
import { takeChanges } from './world.ts';

let opened: TestDatabase;
beforeAll(async () => {
  opened = await openPostgresDatabase();
});
afterAll(() => opened?.close());

const execute = (statement: string) => sql.raw(statement).execute(opened.db);

/** Sets up a source, or its new definition. */
async function install(name: string, given: Omit<SourceDefinitionInput, 'text'>) {
  const definition = sourceDefinitionSchema.parse({ text: ['body'], ...given });
  const checked = await checkSource(opened.db, name, definition, () => opened.db);
  return installSource(opened.db, opened.db, name, checked);
}

async function followed({ partitioned = false } = {}) {
  const name = uniqueName('source');
  const table = name.replaceAll('-', '_');
  await execute(
    `create table ${table} (id int primary key, body text, lang text) ${partitioned ? 'partition by range (id)' : ''}`,
  );
  if (partitioned) await execute(`create table ${table}_a partition of ${table} for values from (0) to (10)`);
  const { name: index } = await createIndex(opened.db);
  return { name, table, index, source: await install(name, { index, table }) };
}

test('a source is stored, with its state, and found by its name', async () => {
  const { name, source } = await followed();
  expect(await getSource(opened.db, name)).toEqual(source);
  expect(source).toMatchObject({ state: 'starting', reason: null, definition: { follow: 'triggers', metadata: [] } });
  await setSourceState(opened.db, source.no, 'waiting', 'the database is away');
  expect((await listSources(opened.db)).find((one) => one.name === name)).toMatchObject({
    state: 'waiting',
    reason: 'the database is away',
  });
  await expect(getSource(opened.db, 'no-such')).rejects.toMatchObject({ type: 'SourceNotFound' });
});

test('a new definition keeps the changes that are recorded, and records those of its columns', async () => {
  const { name, table, index, source } = await followed();
  await execute(`insert into ${table} values (1)`);
  await execute(`update ${table} set lang = 'en'`);
  expect((await install(name, { index, table, metadata: ['lang'] })).no).toBe(source.no);
  await execute(`update ${table} set lang = 'de'`);
  expect(await takeChanges(opened.db, source)).toEqual(['1', '1']);
});

test('a definition for the columns that a table has now ends the drift', async () => {
  const { name, table, index, source } = await followed();
  await execute(`alter table ${table} rename column body to content`);
  await execute(`insert into ${table} values (1)`);
  const definition = sourceDefinitionSchema.parse({ index, table, text: ['content'] });
  const checked = await checkSource(opened.db, name, definition, () => opened.db);
  await installSource(opened.db, opened.db, name, checked);
  await execute(`insert into ${table} values (2)`);
  expect(await takeChanges(opened.db, source)).toEqual(['2']);
});

test('what was recorded while a column was missing is forgotten when all rows are synced', async () => {
  const { table, source } = await followed();
  await execute(`alter table ${table} rename column body to content`);
  await execute(`insert into ${table} values (1)`);
  await execute(`alter table ${table} rename column content to body`);
  await execute(`insert into ${table} values (2)`);
  await forgetDrift(opened.db, source);
  expect(await takeChanges(opened.db, source)).toEqual(['2']);
  await execute(`drop table ${outboxOf(source.no)}`);
  await forgetDrift(opened.db, source);
});

test('a table that others keep locked is given up after a while, and the source is not kept', async () => {
  const name = uniqueName('source');
  const table = name.replaceAll('-', '_');
  await execute(`create table ${table} (id int primary key, body text)`);
  const { name: index } = await createIndex(opened.db);
  const other = await openTransaction(opened.db, (trx) => sql.raw(`insert into ${table} values (1)`).execute(trx));
  await expect(install(name, { index, table })).rejects.toMatchObject({ type: 'DatabaseUnavailable' });
  await other.commit();
  expect(await findSource(opened.db, name)).toBeUndefined();
  expect((await install(name, { index, table })).state).toBe('starting');
});

test('a definition that cannot be set up leaves the source as it was', async () => {
  const { name, table, index, source } = await followed();
  const other = await openTransaction(opened.db, (trx) => sql.raw(`insert into ${table} values (1)`).execute(trx));
  await expect(install(name, { index, table, metadata: ['lang'] })).rejects.toMatchObject({
    type: 'DatabaseUnavailable',
  });
  await other.commit();
  expect(await getSource(opened.db, name)).toEqual(source);
});

test('an outbox of another installation is left alone', async () => {
  const { name, source, index, table } = await followed();
  await execute(`comment on table ${outboxOf(source.no)} is 'reembed 00000000-0000-0000-0000-000000000000'`);
  await expect(install(name, { index, table })).rejects.toThrow('another installation');
  await uninstallSource(opened.db, source);
  expect(await readBacklog(opened.db, source)).toMatchObject({ changes: 0 });
});

test('the backlog is counted, with the age of its oldest change', async () => {
  const { table, source } = await followed();
  expect(await readBacklog(opened.db, source)).toEqual({ changes: 0, estimated: false, seconds: null });
  await execute(`insert into ${table} select generate_series(1, 5)`);
  await execute(`update ${outboxOf(source.no)} set at = now() - interval '1 hour' where key = '["1"]'`);
  const backlog = await readBacklog(opened.db, source);
  expect(backlog).toMatchObject({ changes: 5, estimated: false });
  expect(backlog.seconds).toBeGreaterThanOrEqual(3_600);
});

test('removing a source takes its outbox, triggers and functions away, and can be repeated', async () => {
  const { table, source } = await followed({ partitioned: true });
  await uninstallSource(opened.db, source);
  await uninstallSource(opened.db, source);
  const { rows } = await sql<{ left: string }>`
    select tgname as left from pg_trigger where tgname like ${`reembed_source_${source.no}_%`}
    union all
    select proname from pg_proc where proname like ${`source_${source.no}_%`}
    union all
    select relname from pg_class where relname = ${`source_changes_${source.no}`}`.execute(opened.db);
  expect(rows).toEqual([]);
  await execute(`insert into ${table} values (1)`);
});

test('a table as it was has no drift', async () => {
  const { table, source } = await followed({ partitioned: true });
  await execute(`alter table ${table} add column more int, drop column lang`);
  expect(await readDrift(opened.db, source)).toEqual({ kind: 'none' });
});

test.each([
  ['dropped', (t: string) => `drop table ${t}`, 'was dropped'],
  ['renamed', (t: string) => `alter table ${t} rename to ${t}_new`, '_new'],
  [
    'replaced',
    (t: string) => `alter table ${t} rename to ${t}_old; create table ${t} (id int primary key, body text)`,
    'another has its name',
  ],
  ['without a used column', (t: string) => `alter table ${t} drop column body`, 'has no column body any more'],
  ['with a key of another type', (t: string) => `alter table ${t} alter column id type text`, 'type of the key'],
  ['without enabled triggers', (t: string) => `alter table ${t} disable trigger user`, 'disabled'],
  ['without the outbox', (_: string, no: number) => `drop table ${outboxOf(no)}`, 'outbox'],
])('a source whose table is %s stops, with the reason', async (_name, alter, reason) => {
  const { table, source } = await followed();
  await execute(alter(table, source.no));
  expect(await readDrift(opened.db, source)).toEqual({ kind: 'stopped', reason: expect.stringContaining(reason) });
});

/** Adopts the partitions of a table, whose names end as given. */
async function adopt(source: SourceRow, ...suffixes: string[]): Promise<void> {
  const drift = await readDrift(opened.db, source);
  if (drift.kind !== 'partitions') throw new Error(`there are no other partitions: ${drift.kind}`);
  expect(drift.partitions.map(({ name }) => name.replace(/.*_/, '')).sort()).toEqual(suffixes);
  await adoptPartitions(opened.db, opened.db, source, drift.partitions);
}

test.each([
  ['another type', (t: string) => `alter table ${t} alter column lang type json using to_json(lang)`],
  ['another text of the same type', (t: string) => `alter table ${t} alter column body type text using upper(body)`],
  [
    'the name of another column',
    (t: string) => `alter table ${t} rename column body to was; alter table ${t} rename column other to body`,
  ],
  ['a column again', (t: string) => `alter table ${t} drop column body, add column body text default 'new'`],
  ['another name of a value', (t: string) => `alter type ${t}_kind rename value 'small' to 'tiny'`],
])('values that a change of the definition gave %s are noticed once', async (_name, alter) => {
  const { name, table, source } = await followedWide();
  await execute(alter(table));
  const drift = await readDrift(opened.db, source);
  if (drift.kind !== 'values') throw new Error(`nothing was noticed: ${drift.kind}`);
  await adoptShape(opened.db, source, drift.shape);
  expect(await readDrift(opened.db, await getSource(opened.db, name))).toEqual({ kind: 'none' });
});

test.each([
  (t: string) => `alter table ${t} alter column body set not null, alter column body set default 'x'`,
  (t: string) => `alter table ${t} alter column other type int using 1`,
  (t: string) => `alter type ${t}_kind add value 'large'`,
  (t: string) => `truncate ${t}`,
])('a change of the definition that changes no value in use is no drift (%#)', async (alter) => {
  const { table, source } = await followedWide();
  await execute(alter(table));
  expect(await readDrift(opened.db, source)).toEqual({ kind: 'none' });
});

async function followedWide() {
  const name = uniqueName('source');
  const table = name.replaceAll('-', '_');
  await execute(`create type ${table}_kind as enum ('small', 'big')`);
  await execute(`create table ${table} (id int primary key, body text, lang text, other text, kinds ${table}_kind[])`);
  await execute(`insert into ${table} values (1, 'one', 'en', 'two', '{small}')`);
  const { name: index } = await createIndex(opened.db);
  return { name, table, source: await install(name, { index, table, metadata: ['lang', 'kinds'] }) };
}

test('partitions that came and went are noticed and adopted', async () => {
  const { name, table, source } = await followed({ partitioned: true });
  await execute(`create table ${table}_b partition of ${table} for values from (10) to (20)`);
  await adopt(source, 'a', 'b');
  const adopted = await getSource(opened.db, name);
  expect(await readDrift(opened.db, adopted)).toEqual({ kind: 'none' });
  await execute(`insert into ${table}_b values (11)`);
  await execute(`truncate ${table}_b`);
  // Of adopting, and of the truncate: the new partition has all triggers, and each row is recorded once.
  expect(await takeChanges(opened.db, adopted)).toEqual(['11', 'all', 'all']);

  await execute(`alter table ${table} detach partition ${table}_a`);
  await adopt(adopted, 'b');
  await execute(`insert into ${table}_a values (1)`);
  expect(await takeChanges(opened.db, adopted)).toEqual(['all']);
});
