import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Migration, sql } from 'kysely';
import { alterTables } from '../../src/store/partitions.ts';

/**
 * What the next version of reembed does otherwise, as changes of the built code: a reindex asks the model and verifies
 * twice, and every upsert begins with a timer. Guarded by `patched`, as a change of a workflow has to be.
 */
const CHANGES: readonly { file: string; from: string; to: string }[] = [
  {
    file: 'workflows/reindex/reindex.js',
    from: 'await prepare(run);',
    to: "{\n if (patched('ask-twice')) await prepare(run);\n await prepare(run);\n }",
  },
  {
    file: 'workflows/reindex/reindex.js',
    from: 'await verify(run);',
    to: "if (patched('verify-twice')) await verify(run);\n            await verify(run);",
  },
  {
    file: 'workflows/reindex/reindex.js',
    from: 'import { continueAsNew,',
    to: 'import { patched, continueAsNew,',
  },
  {
    file: 'workflows/write/upsert.js',
    from: 'return writeItems(',
    to: "if (patched('rest-first')) await sleep(1);\n    return writeItems(",
  },
  {
    file: 'workflows/write/upsert.js',
    from: 'import ',
    to: "import { patched, sleep } from '@temporalio/workflow';\nimport ",
  },
];

/** Builds the next version beside this one; returns its entry. */
export function buildNextVersion(main: string): string {
  const built = path.dirname(path.dirname(path.dirname(main)));
  const next = path.join(path.dirname(built), 'next');
  cpSync(path.join(built, 'dist'), path.join(next, 'dist'), { recursive: true });
  cpSync(path.join(built, 'package.json'), path.join(next, 'package.json'));
  for (const name of ['node_modules', 'data']) symlinkSync(path.join(built, name), path.join(next, name));
  // Without the bundle of the build, a worker bundles what is there.
  const workflows = path.join(next, 'dist/workflows');
  for (const name of readdirSync(workflows)) if (name.startsWith('bundle-')) rmSync(path.join(workflows, name));
  for (const { file, from, to } of CHANGES) {
    const at = path.join(next, 'dist', file);
    const text = readFileSync(at, 'utf8');
    if (!text.includes(from))
      throw new Error(`${file} has no ${from}: the next version of the tests is to be made anew`);
    writeFileSync(at, text.replace(from, to));
  }
  return path.join(next, 'dist/cli/main.js');
}

/** Its additions to the schema, while the workers of this version write. */
export const NEXT_MIGRATION: Record<string, Migration> = {
  '0900_next': {
    up: async (db) => {
      await alterTables(db, 'objects', sql`add column note text`);
      await sql`alter table reembed.reindex_locks add column reason text not null default ''`.execute(db);
      await sql`create table reembed.notes (object_id text primary key, note text not null)`.execute(db);
    },
  },
};
