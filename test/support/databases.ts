import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, inject } from 'vitest';
import { startPglite } from '../../src/runtime/servers/pglite.ts';
import { type Db, openDatabase } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrate.ts';

export interface TestDatabase {
  db: Db;
  /** For a second pool, or another process. */
  url: string;
  close(): Promise<void>;
}

/** A migrated database of its own on the real Postgres of the run. */
export async function openPostgresDatabase(): Promise<TestDatabase> {
  const server = inject('postgresUrl');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const url = new URL(server);
  url.pathname = `/${name}`;
  const db = openDatabase({ url: url.href });
  await migrate(db);
  return { db, url: url.href, close: () => db.destroy() };
}

/** A migrated database in an embedded Postgres of its own, in memory. */
export async function openPgliteDatabase(): Promise<TestDatabase> {
  const server = await startPglite({ dataDir: 'memory', say: () => {} });
  const db = openDatabase({ connection: server.connection, maxConnections: 1 });
  await migrate(db);
  return {
    db,
    url: server.url,
    async close() {
      await db.destroy();
      await server.stop();
    },
  };
}

/** Runs the tests on both databases; `database()` is only to be called within them. */
export function onBothDatabases(tests: (database: () => TestDatabase, name: 'postgres' | 'pglite') => void): void {
  for (const [name, open] of [
    ['postgres', openPostgresDatabase],
    ['pglite', openPgliteDatabase],
  ] as const) {
    describe(`on ${name}`, () => {
      let opened: TestDatabase;
      beforeAll(async () => {
        opened = await open();
      });
      afterAll(() => opened?.close());
      tests(() => opened, name);
    });
  }
}
