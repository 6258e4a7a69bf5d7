import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type System, startSystem } from '../support/system.ts';
import { runScript } from './support.ts';

// Each starts processes of its own.
vi.setConfig({ testTimeout: 180_000 });

let system: System;
let folder: string;
beforeAll(async () => {
  system = await startSystem();
  folder = await mkdtemp(path.join(tmpdir(), 'reembed-docs-'));
  await symlink(fileURLToPath(new URL('../../node_modules', import.meta.url)), path.join(folder, 'node_modules'));
});
afterAll(async () => {
  await system?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** All snippets of TypeScript in a page, as one program against the API of the test. */
async function programOf(page: string): Promise<string> {
  const text = await readFile(new URL(`../../${page}`, import.meta.url), 'utf8');
  const snippets = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
  expect(snippets.length).toBeGreaterThan(0);
  const file = path.join(folder, `${path.basename(page)}.mts`);
  await writeFile(file, snippets.join('\n').replaceAll('http://127.0.0.1:7400', system.url));
  return file;
}

it('the snippets about the client do what the page says, one after the other', async () => {
  const run = await runScript(await programOf('docs/client.md'), [], {});
  expect([run.code, run.error]).toEqual([0, '']);
  expect(run.out).toMatch(/^done 1$/m);
  expect(run.out).toMatch(/^delete b done$/m);
  expect(run.out).toMatch(/operations: 2,\s+done: 2,/);
  expect((await system.reembed.objects.page('docs')).objects.map(({ id }) => id)).toEqual(['c']);
});

it('the snippet of the README finds what it writes', async () => {
  await system.reembed.indexes.create('readme', { model: { provider: 'hash' } });
  const file = await programOf('README.md');
  await writeFile(
    file,
    `${(await readFile(file, 'utf8')).replaceAll("'docs'", "'readme'")}\nconsole.log(hits[0]?.id);\n`,
  );
  expect(await runScript(file, [], {})).toMatchObject({ code: 0, out: 'a\n', error: '' });
});

it('the snippets about jobs define, send and schedule as the page says', async () => {
  const { environment, rig } = system;
  const run = await runScript(await programOf('docs/jobs.md'), [], {
    TEMPORAL_ADDRESS: environment.connection.options.address,
    TEMPORAL_NAMESPACE: environment.client.options.namespace,
    REEMBED_TASK_QUEUE: rig.taskQueue,
  });
  expect([run.code, run.error]).toEqual([0, '']);
  const [job, next, outcome] = run.out.split('\n');
  expect(job).toMatch(/^\S+ (pending|processing)$/);
  expect(next).toMatch(/^\d{4}-\d\d-\d\dT/);
  expect(outcome).toMatch(/^started reembed-schedule\/\S+\/send-mail\/customer-7-/);
});
