import { afterAll, expect, it, vi } from 'vitest';
import { givenIndex } from '../support/rig.ts';
import { createSlowModel } from '../workflows/support/slow-model.ts';
import { cuttable } from './support/cuttable.ts';
import { type Dashboard, openDashboard, soon, statusBecomes } from './support/dashboard.ts';

const DEST_DIMENSIONS = 16;
const slow = createSlowModel(DEST_DIMENSIONS);
const opened: Dashboard | undefined = await openDashboard({ embedder: slow.embedder });
const test = it.skipIf(!opened);
vi.setConfig({ testTimeout: 120_000 });
const dashboard = opened as Dashboard;
afterAll(() => opened?.close());
let names = 0;

async function given(objects = 3): Promise<{ alias: string; index: string; next: string }> {
  const alias = `safe${++names}`;
  await givenIndex(dashboard.system.database.db, `${alias}-v1`, { alias });
  const items = Array.from({ length: objects }, (_, at) => ({ id: `k${at}`, payload: `text ${at}.` }));
  await dashboard.system.reembed.tasks.upsert({ index: alias, items }, { wait: true });
  return { alias, index: `${alias}-v1`, next: `${alias}-v2` };
}

const indexNames = async () => (await dashboard.system.reembed.indexes.list()).map(({ name }) => name);

test('a waiting deletion is run immediately only after the name of the index was typed', async () => {
  const { index } = await given();
  const { reembed } = dashboard.system;
  const { id } = await reembed.tasks.deleteIndex({ index, after: '24h', force: true });
  const page = await dashboard.open(`/tasks/${id}`);
  await statusBecomes(page, 'waiting');
  expect(await page.getByRole('button', { name: 'Continue now' }).count()).toBe(0);
  await page.getByRole('button', { name: 'Keep the index…' }).waitFor();
  await page.getByRole('button', { name: 'Delete now…' }).click();
  const dialog = page.getByRole('dialog');
  const confirm = dialog.getByRole('button', { name: 'Delete the index now' });
  expect(await confirm.isDisabled()).toBe(true);
  await dialog.getByLabel(`Type ${index} to confirm`).fill(id);
  expect(await confirm.isDisabled()).toBe(true);
  expect((await reembed.tasks.info(id)).status).toBe('waiting');
  await dialog.getByLabel(`Type ${index} to confirm`).fill(index);
  await confirm.click();
  await statusBecomes(page, 'done');
  expect(await indexNames()).not.toContain(index);
});

test('a serving index is deleted only with its alias and after its name was typed', async () => {
  const { alias, index } = await given();
  // The page may ask for the index once more before it shows the task.
  const page = await dashboard.open(`/indexes/${index}`, { complaints: /status of 404/ });
  await page.getByRole('button', { name: 'Delete…' }).click();
  const dialog = page.getByRole('dialog');
  const confirm = dialog.getByRole('button', { name: 'Delete the index' });
  await dialog.getByLabel(`Type ${index} to confirm`).fill(index);
  expect(await confirm.isDisabled()).toBe(true);
  await dialog.getByLabel(`Also remove its aliases: ${alias}`).check();
  await confirm.click();
  await statusBecomes(page, 'done');
  expect(await indexNames()).not.toContain(index);
});

test('restarting many tasks does not restart deletions of indexes', async () => {
  const { index } = await given();
  const { id } = await dashboard.system.reembed.tasks.deleteIndex({ index, after: '24h', force: true });
  const page = await dashboard.open(`/tasks?index=${index}&status=waiting`);
  await page.getByLabel(`Select ${id}`).check();
  await page.getByRole('region', { name: 'Selected tasks' }).getByRole('button', { name: 'Restart…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Deletions of indexes are skipped').waitFor();
  await dialog.getByText('Nothing has been done yet').waitFor();
  expect(await dialog.getByRole('button', { name: /^Restart \d/ }).isDisabled()).toBe(true);
  await dashboard.system.reembed.tasks.cancel(id);
  expect(await indexNames()).toContain(index);
});

test('an alias is removed only after its name was typed', async () => {
  const { alias, index } = await given();
  const page = await dashboard.open('/indexes');
  await page.getByRole('button', { name: `Remove ${alias}`, exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(`Every search and write that uses the name ${alias} will fail`).waitFor();
  const confirm = dialog.getByRole('button', { name: 'Remove the alias' });
  expect(await confirm.isDisabled()).toBe(true);
  expect(await dashboard.system.reembed.aliases.list()).toContainEqual({ alias, index });
  await dialog.getByLabel(`Type ${alias} to confirm`).fill(alias);
  await confirm.click();
  await page.getByText(`Alias ${alias} removed; it pointed to ${index}`).waitFor();
  expect((await dashboard.system.reembed.aliases.list()).map((each) => each.alias)).not.toContain(alias);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText(`${alias} points to ${index} again`).waitFor();
  expect(await dashboard.system.reembed.aliases.list()).toContainEqual({ alias, index });
});

test('an alias is switched after both indexes were shown, to an empty index only with consent', async () => {
  const { alias, index, next } = await given();
  await givenIndex(dashboard.system.database.db, next, {});
  const page = await dashboard.open('/indexes');
  await page.getByRole('button', { name: `Switch ${alias}`, exact: true }).click();
  const dialog = page.getByRole('dialog');
  const confirm = dialog.getByRole('button', { name: 'Switch the alias' });
  expect(await confirm.isDisabled()).toBe(true);
  await dialog.getByLabel('Points to').selectOption(next);
  const sides = dialog.getByRole('table', { name: 'Before and after' });
  await sides.getByRole('row', { name: index }).waitFor();
  await sides.getByRole('row', { name: next }).waitFor();
  await dialog.getByText(`${next} is empty: searches find nothing`).waitFor();
  expect(await confirm.isDisabled()).toBe(true);
  await dialog.getByLabel('Point the alias there anyway').check();
  expect(await confirm.isDisabled()).toBe(false);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect(await dashboard.system.reembed.aliases.list()).toContainEqual({ alias, index });
});

test('a line that starts like JSON but is not is an error, and nothing is written', async () => {
  const { index } = await given();
  const page = await dashboard.open(`/indexes/${index}`);
  await page.getByRole('button', { name: 'Add objects…' }).click();
  const text = page.getByRole('textbox', { name: 'Objects' });
  const write = page.getByRole('button', { name: /^Write \d/ });
  for (const line of ['{"id": "a", "payload": "a lion"', '[{"id": "a"}', '[]']) {
    await text.fill(`a text\n${line}`);
    await page.getByText(/^line 2 is (not valid JSON|a list)/).waitFor();
    expect(await write.isDisabled()).toBe(true);
  }
  await text.fill('a text\n{"id": "a", "payload": "a lion"}');
  await soon(() => write.isDisabled()).toBe(false);
});

test('an unavailable API is announced on top of every page, and nothing pretends to continue', async () => {
  const { alias, next } = await given(30);
  const held = slow.holdBack(/^text \d/);
  const { id } = await dashboard.system.reembed.tasks.reindex({
    source: alias,
    dest: next,
    destModel: { provider: 'hash', dimensions: DEST_DIMENSIONS },
  });
  await held.asked;
  const way = await cuttable(dashboard.system.url);
  const complaints = /Failed to load resource|ERR_/;
  const task = await dashboard.open(`/tasks/${id}`, { url: way.url, complaints });
  await statusBecomes(task, 'processing');
  await task.locator('.pulse').first().waitFor();
  const list = await dashboard.open('/tasks', { url: way.url, complaints });
  await list.locator('.pulse').first().waitFor();
  await way.cut();
  for (const page of [task, list]) {
    await page.getByRole('alert').getByText('The API does not answer').first().waitFor();
    await page.getByText('If it stays so, start the API').waitFor();
    await soon(() => page.locator('[data-task] .pulse, [data-testid=status] .pulse').count()).toBe(0);
  }
  await task.getByText('This is the last known state of the task').waitFor();
  expect(await task.getByText('A required server').count()).toBe(0);
  await way.mend();
  for (const page of [task, list]) {
    await page.getByText('The API does not answer').first().waitFor({ state: 'detached' });
  }
  held.release();
  await statusBecomes(task, 'done');
});

test('a part of the frame that cannot be loaded takes nothing else away, and comes when the page is reloaded', async () => {
  const page = await dashboard.open('/', { complaints: /Failed to load resource|ERR_/ });
  const shortcuts = page.getByRole('button', { name: 'Shortcuts' });
  await shortcuts.waitFor();
  const files = '**/assets/shortcuts-*.js';
  const refused = page.waitForEvent('requestfailed', (request) => /shortcuts-/.test(request.url()));
  await page.route(files, (route) => route.abort());
  await page.reload();
  await refused;
  await page.getByRole('link', { name: 'Tasks' }).click();
  await page.getByRole('heading', { name: 'Tasks' }).waitFor();
  expect(await shortcuts.count()).toBe(0);
  await page.getByText('A part of this page could not be loaded').waitFor();
  await page.unroute(files);
  await page.getByRole('button', { name: 'Reload the page' }).click();
  await shortcuts.waitFor();
  expect(await page.getByText('A part of this page could not be loaded').count()).toBe(0);
});

test('the phases of a reindex are shown as unknown without an answer of a worker, not as pending', async () => {
  const { alias, next } = await given();
  const { reembed } = dashboard.system;
  const destModel = { provider: 'hash', dimensions: DEST_DIMENSIONS } as const;
  const done = await reembed.tasks.reindex({ source: alias, dest: next, destModel }, { wait: true });
  const page = await dashboard.open('/tasks');
  const unanswered = { ...done, status: 'processing', detail: `copying ${alias}`, data: {} };
  await page.context().route('**/v1/tasks/events?**', (route) =>
    route.fulfill({
      contentType: 'text/event-stream',
      body: `id: 1\nevent: tracker\ndata: ${JSON.stringify(unanswered)}\n\n`,
    }),
  );
  await page.getByRole('link', { name: done.id }).first().click();
  await page.getByText('The phase is unknown: no worker answers.').waitFor();
  expect(await page.locator('.phases li', { hasText: 'pending' }).count()).toBe(0);
  expect(await page.locator('.phases li', { hasText: 'unknown' }).count()).toBe(7);
});
