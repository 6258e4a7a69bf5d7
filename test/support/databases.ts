import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, inject } from 'vitest';
import { startPglite } from '../../src/runtime/servers/pglite.ts';
import { type Db, openDatabase } from '../../src/store/database.ts';
import { CITUS_WORKERS, createOnCluster, dropOnCluster, openOnCluster } from './citus.ts';

export interface TestDatabase {
  db: Db;
  /** For a second pool, or another process. */
  url: string;
  close(): Promise<void>;
}

/** A separate migrated database on the real Postgres of the run. */
export async function openPostgresDatabase(): Promise<TestDatabase> {
  const server = provided('postgresUrl');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  if (CITUS_WORKERS.length > 0) return openClusterDatabase(server, name);
  await asAdmin(server, `create database ${name} template ${provided('postgresTemplate')}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const db = openDatabase({ url: url.href });
  return {
    db,
    url: url.href,
    async close() {
      await db.destroy();
      // Autovacuum would keep visiting it.
      await asAdmin(server, `drop database if exists ${name} with (force)`);
    },
  };
}

async function openClusterDatabase(server: string, name: string): Promise<TestDatabase> {
  const url = await createOnCluster(server, name);
  const db = await openOnCluster(url);
  return {
    db,
    url,
    async close() {
      await db.destroy();
      await dropOnCluster(server, name);
    },
  };
}

/** @throws Error in a project whose setup starts no database */
function provided(key: 'postgresUrl' | 'postgresTemplate' | 'pgliteImage'): string {
  const value = inject(key);
  if (value === undefined)
    throw new Error('tests with a database are in files named *.db.test.ts: see CONTRIBUTING.md');
  return value;
}

async function asAdmin(server: string, statement: string): Promise<void> {
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  await admin.query(statement).finally(() => admin.end());
}

/**
 * The code of the embedded database. As long as a process holds it, all its threads share what was compiled of it, which
 * takes seconds of processor time.
 */
let code: Promise<unknown> | undefined;

async function compileCode(): Promise<unknown> {
  const file = new URL('./pglite.wasm', import.meta.resolve('@electric-sql/pglite'));
  // The types of Node do not have it.
  const { WebAssembly } = globalThis as unknown as { WebAssembly: { compile(bytes: Uint8Array): Promise<unknown> } };
  return WebAssembly.compile(await readFile(file));
}

/** A separate migrated database in an embedded Postgres, in memory. */
export async function openPgliteDatabase(): Promise<TestDatabase> {
  code ??= compileCode();
  await code;
  const server = await startPglite({ dataDir: 'memory', image: provided('pgliteImage'), say: () => {} });
  const db = openDatabase({ connection: server.connection, maxConnections: 1 });
  return {
    db,
    url: server.url,
    async close() {
      await db.destroy();
      await server.stop();
    },
  };
}

/** Runs the tests on both databases, or on the cluster only if there is one; `database()` may only be called within them. */
export function onBothDatabases(tests: (database: () => TestDatabase, name: 'postgres' | 'pglite') => void): void {
  const postgres = ['postgres', openPostgresDatabase] as const;
  const pglite = ['pglite', openPgliteDatabase] as const;
  for (const [name, open] of CITUS_WORKERS.length > 0 ? [postgres] : [postgres, pglite]) {
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
