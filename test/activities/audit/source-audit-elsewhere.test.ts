import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ActivityDependencies } from '../../../src/activities/dependencies.ts';
import { objectIdOf } from '../../../src/contract/source-text.ts';
import type { SourceDefinitionInput } from '../../../src/contract/sources.ts';
import { tablesOf } from '../../../src/store/partitions.ts';
import { SourceDatabases } from '../../../src/store/sources/databases.ts';
import { createIndex, uniqueName } from '../../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { givenSource, objectsOf } from '../../workflows/sources/world.ts';
import { givenDependencies } from '../dependencies.ts';
import { bringAll, runAudit } from './run-audit.ts';

let database: TestDatabase;
/** Another database, which has the tables. */
let shop: TestDatabase;
let deps: ActivityDependencies;
/** Answers each path with a text of its own. */
let pages: Server;
let pagesUrl: string;
beforeAll(async () => {
  [database, shop] = await Promise.all([openPostgresDatabase(), openPostgresDatabase()]);
  const sources = new SourceDatabases({ db: database.db, allowed: ['SHOP'], env: { SHOP: shop.url } });
  deps = { ...givenDependencies(database.db, () => undefined), sources };
  pages = createServer((request, response) => void response.end(`the page ${request.url}`)).listen(0, '127.0.0.1');
  await once(pages, 'listening');
  pagesUrl = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
});
afterAll(async () => {
  pages?.close();
  await deps?.sources.close();
  await Promise.all([database?.close(), shop?.close()]);
});

const inShop = (statement: string) => sql.raw(statement).execute(shop.db);
const idOf = (tenant: string, no: number, day: string) => objectIdOf([tenant, String(no), day]);

/** Runs statements that no trigger of users sees. */
async function unseen(table: string, ...statements: string[]) {
  await inShop(`alter table ${table} disable trigger user`);
  for (const statement of statements) await inShop(statement);
  await inShop(`alter table ${table} enable trigger user`);
}

test.each<[string, Partial<SourceDefinitionInput>]>([
  ['texts', { text: ['link'] }],
  ['addresses', { uriColumn: 'link' }],
])(
  'an audit of a table with a key of several columns in another database finds and repairs what differs, of %s',
  async (_what, content) => {
    const table = uniqueName('items').replaceAll('-', '_');
    const { no, name: index } = await createIndex(database.db, { dimensions: 8 });
    await inShop(
      `create table ${table} (tenant text, no bigint, day timestamptz, link text, lang text, primary key (tenant, no, day))`,
    );
    const rowOf = (tenant: string, i: string, day: string) =>
      `'${tenant}', ${i}, '${day}+02', '${pagesUrl}/' || ${i}, 'en'`;
    const [first, second] = [`a"b`, 'ü, [x]'];
    const day = '2026-01-02T01:00:00';
    await inShop(`insert into ${table} select ${rowOf(first, 'i', day)} from generate_series(1, 40) i`);
    await inShop(`insert into ${table} select ${rowOf(second, 'i', day)} from generate_series(1, 40) i`);
    const key = [
      { name: 'tenant', type: 'text' },
      { name: 'no', type: 'bigint' },
      { name: 'day', type: 'timestamp with time zone' },
    ];
    const definition = { index, table, metadata: ['lang'], connectionEnv: 'SHOP', ...content };
    const { name } = await givenSource(database.db, table, definition as SourceDefinitionInput, key, shop.db);
    await bringAll(deps, name);
    expect((await objectsOf(database.db, index)).length).toBe(80);
    expect(await runAudit(deps, name)).toMatchObject({ counts: { rows: 80, found: {} }, listed: [] });

    await unseen(
      table,
      `update ${table} set link = '${pagesUrl}/other' where tenant = '${first}' and no = 1`,
      `update ${table} set lang = 'de' where tenant = '${second}' and no = 2`,
      `delete from ${table} where tenant = '${first}' and no = 3`,
      `update ${table} set day = '2026-03-04T00:00:00Z' where tenant = '${second}' and no = 4`,
      `insert into ${table} values (${rowOf(first, '50', day)})`,
      `update ${table} set link = null where tenant = '${second}' and no = 5`,
    );
    const objects = tablesOf(no).objects.compile(database.db).sql;
    const [stored, moved] = ['2026-01-01T23:00:00+00:00', '2026-03-04T00:00:00+00:00'];
    const byHand = [idOf(first, 6, stored), idOf(first, 7, stored)];
    await sql`update ${sql.raw(objects)} set metadata = '{}' where object_id = ${byHand[0]}`.execute(database.db);
    await sql`update ${sql.raw(objects)} set object_id = '["odd","1"]' where object_id = ${byHand[1]}`.execute(
      database.db,
    );
    const found = [
      [idOf(first, 1, stored), 'stale'],
      [idOf(second, 2, stored), 'stale'],
      [idOf(first, 3, stored), 'extra'],
      [idOf(second, 4, stored), 'extra'],
      [idOf(second, 4, moved), 'missing'],
      [idOf(first, 50, stored), 'missing'],
      [idOf(second, 5, stored), 'extra'],
      [byHand[0], 'stale'],
      [byHand[1], 'missing'],
      ['["odd","1"]', 'extra'],
    ];
    const audited = await runAudit(deps, name);
    expect(new Map(audited.listed as [string, string][])).toEqual(new Map(found as [string, string][]));
    expect(audited.counts).toMatchObject({ found: { stale: 3, extra: 4, missing: 3 }, onTheirWay: 0 });
    const repaired = await runAudit(deps, name, { repair: true });
    expect([repaired.counts.repaired, repaired.listed]).toEqual([found.length, []]);
    expect((await runAudit(deps, name)).counts.found).toEqual({});
    expect((await objectsOf(database.db, index)).length).toBe(79);
  },
);
