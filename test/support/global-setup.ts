import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../src/runtime/servers/postgres.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A real Postgres with pgvector; every test file makes its own database in it. */
    postgresUrl: string;
  }
}

/** One Postgres for the whole run: that of `DATABASE_URL`, or one started for it. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (process.env.DATABASE_URL) {
    project.provide('postgresUrl', process.env.DATABASE_URL);
    return undefined;
  }
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const parent = mkdtempSync(path.join(tmpdir(), 'reembed-test-'));
  chmodSync(parent, 0o755); // as root, Postgres runs as another user, who must get in
  const server = await startPostgres({
    dataDir: path.join(parent, 'postgres'),
    durable: false,
    settings: { max_connections: 200 },
    env: process.env,
    say,
  });
  project.provide('postgresUrl', server.url);
  return async () => {
    await server.stop();
    rmSync(parent, { recursive: true, force: true });
  };
}
