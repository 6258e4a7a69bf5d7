import { readFile } from 'node:fs/promises';
import { afterAll, expect, it, vi } from 'vitest';
import { givenIndex } from '../support/rig.ts';
import { bothViolations } from './support/axe.ts';
import { type Dashboard, openDashboard, soon, statusBecomes } from './support/dashboard.ts';

vi.setConfig({ testTimeout: 240_000 });
const opened: Dashboard | undefined = await openDashboard();
const test = it.skipIf(!opened);
const dashboard = opened as Dashboard;
afterAll(() => opened?.close());

async function givenObjects(name: string): Promise<void> {
  const { database, reembed } = dashboard.system;
  await givenIndex(database.db, name);
  const items = ['a lion sleeps', 'a ship at sea'].map((payload, at) => ({ id: `o${at}`, payload }));
  await reembed.tasks.upsert({ index: name, items }, { wait: true });
}

test('a change of the vector index is a task, and what decides about vectors is not offered', async () => {
  await givenObjects('changed');
  const page = await dashboard.open('/indexes/changed');
  await page.getByRole('button', { name: 'Change…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Another model, metric or size of the parts needs a reindex.').waitFor();
  const change = dialog.getByRole('button', { name: 'Change the index' });
  expect(await change.isDisabled()).toBe(true);
  await dialog.getByLabel('Vector index').selectOption('own');
  await dialog.getByLabel('Neighbors of a vector').fill('60');
  await change.click();
  await dialog.getByText('Must be at least twice the neighbors.').waitFor();
  expect(await bothViolations(page)).toEqual([]);
  await dialog.getByLabel('Width of the build').fill('140');
  await change.click();
  await statusBecomes(page, 'done');
  const { vectorIndex } = await dashboard.system.reembed.indexes.get('changed');
  expect(vectorIndex).toMatchObject({ kind: 'hnsw', m: 60, efConstruction: 140 });
});

test('an index is saved as a file, which the form of another index reads', async () => {
  await givenObjects('exported');
  await givenIndex(dashboard.system.database.db, 'copied');
  const page = await dashboard.open('/indexes/exported');
  await page.getByRole('button', { name: 'Export…' }).click();
  const dialog = page.getByRole('dialog');
  expect(await bothViolations(page)).toEqual([]);
  await dialog.getByLabel('Format').selectOption('ndjson');
  const saved = page.waitForEvent('download');
  await dialog.getByRole('button', { name: 'Save the file' }).click();
  const file = await saved;
  expect(file.suggestedFilename()).toBe('exported.ndjson');
  const lines = (await readFile(await file.path(), 'utf8')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).payload)).toEqual(['a lion sleeps', 'a ship at sea']);

  const other = await dashboard.open('/indexes/copied');
  await other.getByRole('button', { name: 'Add objects…' }).click();
  await other.locator('input[type=file]').setInputFiles({
    name: 'too-large.ndjson',
    mimeType: 'text/plain',
    buffer: Buffer.alloc(5_000_001, 'a'),
  });
  await other.getByText('Send it with “reembed upsert”').waitFor();
  await other.locator('input[type=file]').setInputFiles(await file.path());
  await other.getByRole('button', { name: 'Write 2 objects' }).click();
  await statusBecomes(other, 'done');
  await soon(async () => (await dashboard.system.reembed.indexes.get('copied')).objects).toBe(2);
});
