import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { startPglite } from '../src/runtime/servers/pglite.ts';
import { type Db, openDatabase } from '../src/store/database.ts';
import { migrate } from '../src/store/migrate.ts';
import { startPostgres } from '../test/support/servers/postgres.ts';

export interface BenchDatabase {
  db: Db;
  background: Db;
  url: string;
  close(): Promise<void>;
}

/**
 * Opens an empty migrated database on the server of `DATABASE_URL`, or on a separate Postgres whose commits survive a
 * crash of the machine, as in production.
 */
export async function openBenchDatabase(options: {
  connections: number;
  say: (line: string) => void;
}): Promise<BenchDatabase> {
  const server = process.env.DATABASE_URL
    ? { url: process.env.DATABASE_URL, stop: async () => {} }
    : await start(options);
  const name = `bench_${randomUUID().replaceAll('-', '')}`;
  await administer(server.url, `create database ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  const db = openDatabase({ url: url.href, maxConnections: options.connections });
  const background = openDatabase({ url: url.href, maxConnections: options.connections, background: true });
  await migrate(db);
  return {
    db,
    background,
    url: url.href,
    async close() {
      await Promise.all([db.destroy(), background.destroy()]);
      await administer(server.url, `drop database ${name} with (force)`);
      await server.stop();
    },
  };
}

/** Opens an empty migrated database embedded in a thread of this process, with its files on disk. */
export async function openEmbeddedBenchDatabase(say: (line: string) => void): Promise<BenchDatabase> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'reembed-bench-pglite-'));
  const server = await startPglite({ dataDir, say });
  const db = openDatabase({ connection: server.connection, maxConnections: server.connection.max });
  await migrate(db);
  return {
    db,
    background: db,
    url: server.url,
    async close() {
      await db.destroy();
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function start({ connections, say }: { connections: number; say: (line: string) => void }) {
  const parent = mkdtempSync(path.join(tmpdir(), 'reembed-bench-'));
  chmodSync(parent, 0o755); // if started by root, Postgres runs as another user, who needs access
  const { url, stop } = await startPostgres({
    dataDir: path.join(parent, 'postgres'),
    durable: true,
    settings: { max_connections: 2 * connections + 50 },
    env: process.env,
    say,
  });
  return {
    url,
    async stop() {
      await stop();
      rmSync(parent, { recursive: true, force: true });
    },
  };
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
