import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { createApi } from '../../src/api/app.ts';
import { createModels } from '../../src/models/models.ts';
import { findServer } from '../../src/runtime/servers/find.ts';
import { type Db, openDatabase } from '../../src/store/database.ts';
import { findIndex, resolveIndex } from '../../src/store/indexes.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { openPostgresDatabase } from '../support/databases.ts';
import { givenIndex, silentLog, startRig, startTemporal } from '../support/rig.ts';

const OBJECTS = 400;
const LOCK_SECONDS = 15;

const item = (id: number, text: string) => ({ id: `o${id}`, payload: `${text} ${id}`, metadata: { text } });

/** The stored objects of the index that an alias serves, by id. */
async function storedIn(db: Db, alias: string): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; row: string }>`
    select object_id as id, concat_ws(' ', version, deleted, payload, metadata) as row
    from ${tablesOf((await resolveIndex(db, alias)).no).objects}`.execute(db);
  return new Map(rows.map(({ id, row }) => [id, row]));
}

/** Postgres' own commands, as in docs/run.md; returns the address of the copy. */
async function backUpAndRestore(url: string): Promise<{ backUp(): Promise<void>; restore(): Promise<string> }> {
  const bin = await findServer('postgres', { env: process.env, say: () => {} });
  const folder = mkdtempSync(path.join(tmpdir(), 'reembed-backup-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'reembed.dump');
  const run = (command: string, ...args: string[]) => promisify(execFile)(path.join(bin, command), args);
  return {
    backUp: async () => void (await run('pg_dump', '--format=custom', '--file', file, url)),
    async restore() {
      const restored = new URL(url);
      restored.pathname += '_restored';
      const admin = new pg.Client({ connectionString: url });
      await admin.connect();
      await admin.query(`create database ${restored.pathname.slice(1)}`);
      await admin.end();
      await run('pg_restore', '--exit-on-error', '--no-owner', '--dbname', restored.href, file);
      return restored.href;
    },
  };
}

test('a backup taken during a reindex serves with an empty Temporal, and is reindexed after lock expiry', async () => {
  const [before, database] = await Promise.all([startTemporal('dev', { alone: true }), openPostgresDatabase()]);
  onTestFinished(() => database.close());
  const rig = await startRig({ environment: before, db: database.db, settings: { sliceObjects: 100 } });
  await givenIndex(database.db, 'docs-v1', { alias: 'docs' });
  const items = Array.from({ length: OBJECTS }, (_, id) => item(id, 'a lion'));
  expect(await rig.run('upsert', { index: 'docs', items })).toMatchObject({ status: 'done' });
  const destModel = { provider: 'hash' as const, name: 'hash-v1' as const, dimensions: 48 };
  const rebuild = { source: 'docs', dest: 'docs-v2', destModel, lockSeconds: LOCK_SECONDS, batchSize: 10 };
  await rig.start('reindex', { ...rebuild, ratePerSecond: 20 });
  const copied = async () => {
    const dest = await findIndex(database.db, 'docs-v2');
    if (!dest) return 0;
    const { rows } = await sql<{ many: number }>`
      select count(*) as many from ${tablesOf(dest.no).objects}`.execute(database.db);
    return rows[0]?.many ?? 0;
  };
  while ((await copied()) < 20) await sleep(100);
  const late = await rig.run('upsert', { index: 'docs', items: [item(1, 'a tiger'), item(9_000, 'a tiger')] });
  expect(await rig.run('delete', { index: 'docs', ids: ['o2'] })).toMatchObject({ status: 'done' });
  const backup = await backUpAndRestore(database.url);
  await backup.backUp();
  expect(await copied()).toBeLessThan(OBJECTS);
  const committed = await storedIn(database.db, 'docs');
  // At once: as if the machine of both were gone.
  await Promise.all([before.teardown(), rig.stop().catch(() => {})]);

  const db = openDatabase({ url: await backup.restore() });
  onTestFinished(() => db.destroy());
  expect(await storedIn(db, 'docs')).toEqual(committed);
  const { rows: locks } = await sql`select from reembed.reindex_locks`.execute(db);
  expect(locks).toHaveLength(1);
  const after = await startTemporal('dev', { alone: true });
  const again = await startRig({ environment: after, db });
  onTestFinished(async () => {
    await again.stop();
    await after.teardown();
  });
  const { client } = after;
  const api = createApi({ db, client, models: createModels({ env: {} }), taskQueue: again.taskQueue, log: silentLog });
  const search = async (text: string) => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ text, filter: { text }, limit: 2 });
    const answer = await api.request('/v1/indexes/docs/search', { method: 'POST', headers, body });
    const { hits } = (await answer.json()) as { hits: { id: string }[] };
    return hits.map(({ id }) => id).sort();
  };
  expect(await search('a tiger')).toEqual(['o1', 'o9000']);

  // The lock remains although nobody rebuilds: a write is forwarded, and a new version is above all earlier ones.
  const written = await again.run('upsert', { index: 'docs', items: [item(3, 'a bear')] });
  expect(written).toMatchObject({ status: 'done', data: { written: 1 } });
  expect(written.version).toBeGreaterThan(late.version ?? Number.POSITIVE_INFINITY);

  const rebuilt = await again.run('reindex', { ...rebuild, waitSeconds: 1 });
  expect(rebuilt).toMatchObject({ status: 'done', data: { alias: 'docs' } });
  const served = await storedIn(db, 'docs');
  expect(served.get('o3')).toMatch(/a bear 3/);
  expect([...served.keys()].sort()).toEqual([...committed.keys()].sort());
  for (const [id, row] of committed) if (id !== 'o3') expect(served.get(id)).toBe(row);
  expect(await search('a tiger')).toEqual(['o1', 'o9000']);
}, 180_000);
