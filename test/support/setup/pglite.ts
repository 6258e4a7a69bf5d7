import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { share } from './share.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The file of a migrated embedded database, which takes ten seconds of processor time to set up. */
    pgliteImage: string;
  }
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CACHE = path.join(ROOT, 'node_modules/.cache/reembed-test');

/** One image of a migrated embedded database, kept from run to run until a migration or PGlite changes. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { value, release } = await share('pglite', async () => {
    const file = path.join(CACHE, `pglite-${key()}.tar`);
    if (!existsSync(file)) await make(file);
    return { value: file, stop: async () => {} };
  });
  project.provide('pgliteImage', value);
  return release;
}

async function make(file: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const draft = `${file}.${process.pid}`;
  const script = fileURLToPath(new URL('./make-pglite-image.ts', import.meta.url));
  await promisify(execFile)(process.execPath, ['--import', 'tsx', script, draft], { cwd: ROOT });
  renameSync(draft, file);
}

function key(): string {
  const migrations = path.join(ROOT, 'src/store/migrations');
  const files = [
    ...readdirSync(migrations).map((name) => path.join(migrations, name)),
    path.join(ROOT, 'src/store/migrate.ts'),
    path.join(ROOT, 'node_modules/@electric-sql/pglite/package.json'),
    path.join(ROOT, 'node_modules/@electric-sql/pglite-pgvector/package.json'),
  ];
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}
