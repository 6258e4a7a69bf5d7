import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../src/runtime/servers/postgres.ts';
import { prepareBundle } from './bundle.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A real Postgres with pgvector; every test file makes its own database in it. */
    postgresUrl: string;
  }
}

/** For the whole run: one bundle of the workflows, and one Postgres, that of `DATABASE_URL` or one started for it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const parent = mkdtempSync(path.join(tmpdir(), 'reembed-test-'));
  chmodSync(parent, 0o755); // as root, Postgres runs as another user, who must get in
  const { DATABASE_URL } = process.env;
  const [server] = await Promise.all([
    DATABASE_URL ? { url: DATABASE_URL, stop: async () => {} } : start(path.join(parent, 'postgres')),
    prepareBundle(path.join(parent, 'workflows.cjs')),
  ]);
  project.provide('postgresUrl', server.url);
  return async () => {
    await server.stop();
    rmSync(parent, { recursive: true, force: true });
  };
}

function start(dataDir: string) {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  return startPostgres({ dataDir, durable: false, settings: { max_connections: 200 }, env: process.env, say });
}
