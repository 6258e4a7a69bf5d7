import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { loadTasks } from '../../src/jobs/load.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'reembed-load-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const library = fileURLToPath(new URL('../../src/jobs/index.ts', import.meta.url));
const define = (name: string, registry = '') => `
  import { createRegistry, defineTask } from ${JSON.stringify(library)};
  export const task = defineTask({ name: '${name}'${registry} }, () => {});`;

test('modules in folders and single modules are loaded, but not tests, types or hidden files', async () => {
  mkdirSync(path.join(folder, 'inner', 'node_modules'), { recursive: true });
  writeFileSync(path.join(folder, 'one.mjs'), define('one'));
  writeFileSync(path.join(folder, 'inner', 'two.mjs'), define('two', ', registry: createRegistry()'));
  for (const name of ['one.test.mjs', 'types.d.ts', '.hidden.mjs', 'notes.txt', 'inner/node_modules/other.mjs']) {
    writeFileSync(path.join(folder, name), 'throw new Error("not to be loaded")');
  }
  const { registry, modules } = await loadTasks([folder, path.join(folder, 'one.mjs')]);
  expect(modules).toEqual([path.join(folder, 'inner', 'two.mjs'), path.join(folder, 'one.mjs')]);
  // The default registry of the process may have tasks of other modules.
  const names = registry.tasks.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['one', 'two']));
});

test('a missing path, and a module that cannot be loaded, are reported by name', async () => {
  await expect(loadTasks([path.join(folder, 'nowhere')])).rejects.toMatchObject({
    type: 'InvalidInput',
    message: expect.stringContaining('nowhere: there is no such file or folder'),
  });
  const broken = path.join(folder, 'broken.mjs');
  writeFileSync(broken, 'throw new Error("by mistake")');
  await expect(loadTasks([broken])).rejects.toMatchObject({
    message: expect.stringContaining(`${broken} cannot be loaded: by mistake`),
  });
});
