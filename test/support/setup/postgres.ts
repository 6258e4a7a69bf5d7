import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../../src/store/database.ts';
import { migrate } from '../../../src/store/migrate.ts';
import { startPostgres } from '../servers/postgres.ts';
import { say, share } from './share.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A real Postgres with pgvector; each test file creates its own databases in it. */
    postgresUrl: string;
    /** The name of a migrated database in it, to copy. */
    postgresTemplate: string;
  }
}

/** One Postgres for the whole run, that of `DATABASE_URL` or one started for it, with a migrated database. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { value, release } = await share('postgres', async () => {
    const { DATABASE_URL } = process.env;
    const server = DATABASE_URL ? { url: DATABASE_URL, stop: async () => {} } : await startServer();
    const template = `test_template_${randomUUID().replaceAll('-', '')}`;
    await asAdmin(server.url, `create database ${template}`);
    const url = new URL(server.url);
    url.pathname = `/${template}`;
    const db = openDatabase({ url: url.href });
    await migrate(db);
    await db.destroy();
    return {
      value: { url: server.url, template },
      async stop() {
        if (DATABASE_URL) await asAdmin(server.url, `drop database ${template}`);
        await server.stop();
      },
    };
  });
  project.provide('postgresUrl', value.url);
  project.provide('postgresTemplate', value.template);
  return release;
}

async function startServer() {
  const parent = mkdtempSync(path.join(tmpdir(), 'reembed-test-'));
  chmodSync(parent, 0o755); // as root, Postgres runs as another user, who must get in
  const dataDir = path.join(parent, 'postgres');
  const settings = { max_connections: 400 };
  const server = await startPostgres({ dataDir, durable: false, settings, env: process.env, say });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      rmSync(parent, { recursive: true, force: true });
    },
  };
}

async function asAdmin(url: string, statement: string): Promise<void> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(statement);
  await admin.end();
}
