import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { keep, ROOT } from './kept.ts';
import { share } from './share.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The file of a migrated embedded database, which takes ten seconds of processor time to set up. */
    pgliteImage: string;
  }
}

const FROM = [
  'src/store/migrations',
  'src/store/migrate.ts',
  'node_modules/@electric-sql/pglite/package.json',
  'node_modules/@electric-sql/pglite-pgvector/package.json',
];

/** One image of a migrated embedded database, kept from run to run until a migration or PGlite changes. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { value, release } = await share('pglite', async () => {
    const file = await keep({ name: 'pglite', from: FROM }, make);
    return { value: file, stop: async () => {} };
  });
  project.provide('pgliteImage', value);
  return release;
}

async function make(draft: string): Promise<void> {
  const script = fileURLToPath(new URL('./make-pglite-image.ts', import.meta.url));
  await promisify(execFile)(process.execPath, ['--import', 'tsx', script, draft], { cwd: ROOT });
}
