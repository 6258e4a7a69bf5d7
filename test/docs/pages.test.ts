import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createClient, type ReembedClient } from '../../src/client/client.ts';
import { findServer } from '../../src/runtime/servers/find.ts';
import { CliProcess } from '../cli/support.ts';
import { buildInto } from '../support/build.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { type Block, PAGES, patternOf, placeOf, ROOT, runnable } from './blocks.ts';
import { GIVEN } from './given.ts';

// Each page runs commands one after the other.
vi.setConfig({ testTimeout: 180_000 });

/** Separates the outputs of the steps. */
const MARK = '\u001e';

let folder: string;
let database: TestDatabase;
let mail: ReturnType<typeof createServer>;
let dev: CliProcess;
let at: { api: string; temporal: string };
let reembed: ReembedClient;
let env: NodeJS.ProcessEnv;

/** `reembed dev` of the built package, as users have it, with the jobs of the page about jobs; one for all pages. */
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'reembed-pages-'));
  const temporal = findServer('temporal-cli', { env: process.env, say: () => {} });
  const [main, cli] = await Promise.all([buildInto(folder), temporal]);
  database = await openPostgresDatabase();
  mail = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(mail, 'listening');
  mkdirSync(path.join(folder, 'bin'));
  symlinkSync(cli, path.join(folder, 'bin/temporal'));
  writeFileSync(path.join(folder, 'bin/reembed'), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`);
  chmodSync(path.join(folder, 'bin/reembed'), 0o755);
  const tasks = path.join(folder, 'tasks.mjs');
  const mailUrl = `http://127.0.0.1:${(mail.address() as AddressInfo).port}`;
  const [definition] = runnable('docs/jobs.md', 'ts');
  writeFileSync(tasks, `${definition?.block.code}`.replace('https://mail.example.com', mailUrl));
  const own = { DATABASE_URL: database.url, TEMPORAL_ADDRESS: '', TEMPORAL_NAMESPACE: '', REEMBED_API_TOKENS: '' };
  const args = ['dev', '--json', '--port', '0', '--data-dir', path.join(folder, 'system'), '--tasks', tasks];
  dev = new CliProcess(args, own, [main]);
  at = JSON.parse((await dev.prints(/\{"api":.*\}\n/))[0]);
  reembed = createClient({ baseUrl: at.api });
  env = {
    PATH: `${path.join(folder, 'bin')}:${process.env.PATH}`,
    HOME: folder,
    REEMBED_URL: at.api,
    REEMBED_TOKEN: 'none-is-needed',
    TEMPORAL_ADDRESS: at.temporal,
    DATABASE_URL: database.url,
    KEY: randomBytes(32).toString('base64'),
    // Part of a million.
    LINES_TO_LOAD: '2500',
  };
}, 240_000);
afterAll(async () => {
  await dev?.ends('SIGTERM');
  mail?.close();
  await database?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Removes everything that the previous page left. */
async function clear(): Promise<void> {
  const statuses = ['pending' as const, 'processing' as const, 'waiting' as const, 'paused' as const];
  await reembed.tasks.steerAll({ action: 'cancel', filter: { statuses } }, { wait: true });
  for (const { alias } of await reembed.aliases.list()) await reembed.aliases.delete(alias);
  const indexes = await reembed.indexes.list();
  const deletions = await Promise.all(indexes.map(({ name }) => reembed.indexes.delete(name, { force: true })));
  await Promise.all(deletions.map(({ id }) => reembed.tasks.wait(id)));
}

/** Replaces the addresses of the pages, which are the defaults, with those of this `dev`. */
function here(code: string): string {
  return code
    .replaceAll(/http:\/\/(127\.0\.0\.1|localhost):7400/g, at.api)
    .replaceAll(/(127\.0\.0\.1|localhost):7400/g, new URL(at.api).host);
}

interface Step {
  block: Block;
  prints: string | undefined;
}

/** Runs a program that prints a mark before each step, and compares what is printed between the marks. */
async function follow(steps: readonly Step[], program: string, args: string[], cwd: string): Promise<void> {
  const run = await new Promise<{ error: Error | null; out: string; err: string }>((resolve) => {
    const options = { cwd, env, timeout: 150_000, maxBuffer: 32_000_000 };
    execFile(program, args, options, (error, out, err) => resolve({ error, out, err }));
  });
  const printed = run.out.split(MARK).slice(1);
  const last = steps[printed.length - 1]?.block;
  if (run.error) {
    const after = last ? `${placeOf(last)} failed after it had printed:\n${printed.at(-1)}` : 'what is given failed';
    throw new Error(`${after}\n${run.err.slice(-3_000)}`);
  }
  expect(printed).toHaveLength(steps.length);
  for (const [step, { block, prints }] of steps.entries()) {
    if (prints !== undefined) expect(here(printed[step] as string), placeOf(block)).toMatch(patternOf(here(prints)));
  }
}

/** `curl` as in the pages, but a problem is a failure. */
const PRELUDE = `set -euo pipefail
curl() { command curl --silent --show-error --fail-with-body "$@"; local code=$?; echo; return $code; }
`;

async function runPage(page: string): Promise<void> {
  const cwd = path.join(folder, 'pages', page.replace(/\W/g, '-'));
  mkdirSync(cwd, { recursive: true });
  const commands = runnable(page, 'sh');
  const snippets = runnable(page, 'ts');
  await clear();
  const given = GIVEN[page] ?? ':';
  const script = commands.map(({ block }) => `printf '${MARK}'\n${block.code}`).join('\n');
  await follow(commands, 'bash', ['-c', here(`${PRELUDE}{\n${given}\n} >&2\n${script}`)], cwd);
  if (snippets.length === 0) return;
  const file = path.join(cwd, 'program.mts');
  const code = snippets.map(({ block }) => `process.stdout.write('${MARK}');\n${block.code}`).join('\n');
  // A page does not have to close what it has opened.
  writeFileSync(file, `${here(code)}\nprocess.exit();\n`);
  await follow(snippets, process.execPath, ['--import', 'tsx', file], cwd);
}

const pages = PAGES.filter((page) => runnable(page, 'sh').length + runnable(page, 'ts').length > 0);

test.each(pages)('the commands and snippets of %s work, and print what it says', async (page) => {
  await runPage(page);
});

test('the SQL of the pages runs on Postgres', async () => {
  const { sql } = await import('kysely');
  // `sql-page.test.ts` runs those with parameters.
  for (const page of PAGES.filter((one) => one !== 'docs/sql.md')) {
    for (const { block } of runnable(page, 'sql')) await sql.raw(block.code).execute(database.db);
  }
});

test('every page with given commands exists', () => {
  for (const page of Object.keys(GIVEN)) expect(readFileSync(path.join(ROOT, page), 'utf8').length).toBeGreaterThan(0);
  expect(Object.keys(GIVEN).filter((page) => !pages.includes(page))).toEqual([]);
});
