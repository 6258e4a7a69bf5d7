import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { followerIdOf } from '../../../src/contract/names.ts';
import type { SourceDefinitionInput } from '../../../src/contract/sources.ts';
import { examineSources, sourceFindings } from '../../../src/store/doctor/sources.ts';
import { SourceDatabases } from '../../../src/store/sources/databases.ts';
import { outboxOf } from '../../../src/store/sources/names.ts';
import { recordFailed } from '../../../src/store/staging.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { givenSource } from '../../workflows/sources/world.ts';

let database: TestDatabase;
let databases: SourceDatabases;
beforeAll(async () => {
  database = await openPostgresDatabase();
  const env = { GONE: 'postgres://nobody@127.0.0.1:1/gone' };
  databases = new SourceDatabases({ db: database.db, allowed: ['GONE'], env });
});
afterAll(async () => {
  await databases?.close();
  await database?.close();
});
beforeEach(() => execute('delete from reembed.sources'));

const execute = (statement: string) => sql.raw(statement).execute(database.db);

type Check = Parameters<typeof sourceFindings>[0];
const CHECKS = [
  ...(['sourceStopped', 'sourceWaiting', 'sourceUnreachable', 'sourceBroken'] as const),
  ...(['sourceBehind', 'sourceFailing', 'sourceSlow', 'sourceTokenMissing'] as const),
];

/** What each check finds; those that find nothing are left out. */
async function findings(): Promise<Partial<Record<Check, string[]>>> {
  const examined = await examineSources(database.db, databases);
  const found = CHECKS.map((check) => [check, sourceFindings(check, examined)] as const);
  return Object.fromEntries(found.filter(([, texts]) => texts.length > 0));
}

interface Given {
  no: number;
  name: string;
  table: string;
}

/** A source that follows, with nothing in its outbox. */
async function given(over: Partial<SourceDefinitionInput> = {}): Promise<Given> {
  const id = randomUUID().slice(0, 8);
  const table = `looked_at_${id}`;
  await execute(`create table ${table} (id int primary key, body text, at timestamptz not null default now())`);
  const source = await givenSource(database.db, `s-${id}`, { index: `docs-${id}`, table, text: ['body'], ...over });
  await execute(`update reembed.sources set state = 'following' where no = ${source.no}`);
  return { ...source, table };
}

const poll = { follow: 'poll', updatedAt: 'at' } as const;

test('sources that are in order have no findings, also those that have just begun', async () => {
  const { no, table } = await given();
  const polled = await given(poll);
  await execute(`create index on ${polled.table} (at)`);
  await execute(`insert into ${table} values (1, 'on its way')`);
  await execute(`update reembed.sources set state = 'starting' where no = ${no}`);
  expect(await findings()).toEqual({});
});

test.each<[Check, string, (given: Given) => string[], RegExp]>([
  [
    'sourceStopped',
    'a source that has stopped',
    ({ no }) => [`update reembed.sources set state = 'stopped', reason = 'by a call' where no = ${no}`],
    /by a call$/,
  ],
  [
    'sourceWaiting',
    'a source that has waited for long',
    ({ no }) => [
      `update reembed.sources set state = 'waiting', reason = 'DatabaseUnavailable: away', state_time = now() - interval '1 hour' where no = ${no}`,
    ],
    /waiting since \d{4}-.*Z: DatabaseUnavailable: away$/,
  ],
  [
    'sourceWaiting',
    'a source that no worker begins to follow',
    ({ no }) => [
      `update reembed.sources set state = 'starting', state_time = now() - interval '1 hour' where no = ${no}`,
    ],
    /starting since \d{4}-.*Z$/,
  ],
  [
    'sourceUnreachable',
    'a database that does not answer',
    ({ no }) => [`update reembed.sources set definition = definition || '{"connectionEnv": "GONE"}' where no = ${no}`],
    /ECONNREFUSED/,
  ],
  [
    'sourceUnreachable',
    'a variable that is not allowed',
    ({ no }) => [`update reembed.sources set definition = definition || '{"connectionEnv": "OTHER"}' where no = ${no}`],
    /OTHER is not among the variables of REEMBED_SOURCE_CONNECTIONS$/,
  ],
  ['sourceBroken', 'disabled triggers', ({ table }) => [`alter table ${table} disable trigger user`], /disabled/],
  [
    'sourceBroken',
    'a dropped trigger',
    ({ no, table }) => [`drop trigger reembed_source_${no}_insert on ${table}`],
    /triggers of/,
  ],
  ['sourceBroken', 'a dropped outbox', ({ no }) => [`drop table ${outboxOf(no)}`], /the outbox .* was dropped/],
  [
    'sourceBroken',
    'a missing column',
    ({ table }) => [`alter table ${table} rename body to text`],
    /has no column body/,
  ],
  [
    'sourceBroken',
    'a key of another type',
    ({ table }) => [`alter table ${table} alter id type bigint`],
    /the key's column id was changed/,
  ],
  ['sourceBroken', 'a dropped table', ({ table }) => [`drop table ${table}`], /was dropped$/],
  [
    'sourceBehind',
    'changes that wait for long',
    ({ no, table }) => [
      `insert into ${table} values (1, 'old'), (2, 'new')`,
      `update ${outboxOf(no)} set at = now() - interval '10 minutes' where seq = (select min(seq) from ${outboxOf(no)})`,
    ],
    /2 changes are not in the index, the oldest since 60\d s$/,
  ],
])('the doctor finds by %s %s, and nothing else', async (check, _what, breaks, text) => {
  const source = await given();
  await given();
  expect(await findings()).toEqual({});
  for (const statement of breaks(source)) await execute(statement);
  const found = await findings();
  expect(Object.keys(found)).toEqual([check]);
  expect(found[check]).toEqual([expect.stringMatching(text)]);
  expect(found[check]?.[0]).toContain(`the source ${source.name}: `);
});

test('the doctor finds rows that cannot be synced', async () => {
  const { name } = await given();
  const failed = { stage: 'load', reason: 'InvalidInput', detail: 'too large' } as const;
  await recordFailed(database.db, followerIdOf(name), [{ objectId: 'a', ...failed }]);
  expect(await findings()).toEqual({
    sourceFailing: [`the source ${name}: 1 rows are on the failed list of ${followerIdOf(name)}`],
  });
});

test('the doctor finds a polled column without an index that begins with it', async () => {
  const { name, table } = await given(poll);
  await execute(`create index on ${table} (body, at)`);
  await execute(`create index on ${table} (at) where body is null`);
  expect(await findings()).toEqual({
    sourceSlow: [`the source ${name}: the column at has no index that begins with it`],
  });
  await execute(`create index on ${table} (at, body)`);
  expect(await findings()).toEqual({});
});

test('the doctor finds that the function of tokens is missing', async () => {
  const { name } = await given();
  await given(poll);
  await execute('drop function reembed.write_token()');
  const { sourceTokenMissing } = await findings();
  expect(sourceTokenMissing).toEqual([`the source ${name}: reembed.write_token() is missing`]);
});
