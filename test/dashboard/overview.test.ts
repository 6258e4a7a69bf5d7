import { afterAll, expect, it, vi } from 'vitest';
import { createRegistry, defineTask } from '../../src/jobs/index.ts';
import { givenIndex } from '../support/rig.ts';
import { bothViolations } from './support/axe.ts';
import { type Dashboard, openDashboard, soon } from './support/dashboard.ts';

vi.setConfig({ testTimeout: 400_000 });
const registry = createRegistry();
const isMended = { now: false };
defineTask({ name: 'send-mail', registry, maxAttempts: 1 }, () => {
  if (!isMended.now) throw new TypeError('550 mailbox unknown');
});
const opened: Dashboard | undefined = await openDashboard({ jobs: { registry } });
const test = it.skipIf(!opened);
const dashboard = opened as Dashboard;
afterAll(() => opened?.close());

test('the first page says what waits for a person, what has failed and why, and whether all is well', async () => {
  const { database, reembed } = dashboard.system;
  const page = await dashboard.open('/');
  await page.getByText('No tasks yet').waitFor();
  await page.locator('[data-part=Postgres]').getByText('answers', { exact: true }).waitFor();
  await page
    .locator('[data-part=Workers]')
    .getByText(/^\d+ workers?$/)
    .waitFor();

  await givenIndex(database.db, 'docs-v1', { alias: 'docs' });
  await reembed.tasks.upsert({ index: 'docs', items: [{ id: 'a', payload: 'a lion' }] }, { wait: true });
  const destModel = { provider: 'hash', dimensions: 16 } as const;
  const { id } = await reembed.tasks.reindex({ source: 'docs', dest: 'docs-v2', destModel, approve: 'manual' });
  const need = page.locator(`[data-need="${id}"]`);
  await need.getByText('Waits for your approval').waitFor();
  const card = page.locator(`article[data-task="${id}"]`);
  await card.getByRole('link', { name: 'docs-v1 docs-v2' }).waitFor();
  for (let mail = 0; mail < 3; mail++) await reembed.jobs.run('send-mail', { taskId: `mail-${mail}` });
  const failure = page.locator('[data-error=TypeError]');
  await failure.getByText('3', { exact: true }).waitFor();
  await failure.getByText('550 mailbox unknown').waitFor();
  expect(await bothViolations(page)).toEqual([]);
  await need.getByRole('link', { name: 'Decide' }).click();
  await page.getByRole('button', { name: 'Approve…' }).waitFor();
});

test('failures with one cause are restarted together, and are gone when that was mended', async () => {
  const page = await dashboard.open('/');
  isMended.now = true;
  await page.getByRole('button', { name: 'Restart all with TypeError' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('3 tasks: would restart').waitFor();
  await dialog.getByRole('button', { name: 'Restart 3 tasks' }).click();
  await dialog.getByText('3 tasks: restarted').waitFor();
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await page.locator('[data-error=TypeError]').waitFor({ state: 'detached' });
  const statuses = async () =>
    Promise.all([0, 1, 2].map(async (mail) => (await dashboard.system.reembed.tasks.info(`mail-${mail}`)).status));
  await soon(statuses).toEqual(['done', 'done', 'done']);
});

test('Ctrl-K finds indexes, aliases, jobs and tasks, and Enter opens the first', async () => {
  const { reembed } = dashboard.system;
  await reembed.jobs.run('send-mail', { taskId: 'letter-to-find' });
  await reembed.schedules.put('send-mail', 'default', { every: '1h' });
  const page = await dashboard.open('/schedules', { complaints: /status of 404/ });
  await page.getByRole('button', { name: 'Find…' }).waitFor();
  await page.keyboard.press('Control+K');
  const box = page.getByRole('dialog');
  const field = box.getByLabel('Name or id');
  await field.fill('docs');
  await box.getByRole('link', { name: 'docs alias of docs-v1' }).waitFor();
  await box.getByRole('link', { name: 'docs-v2 index' }).waitFor();
  await field.fill('send-');
  await box.getByRole('link', { name: 'send-mail job' }).waitFor();
  await field.fill('nothing-like-this');
  await box.getByText('Nothing has this name').waitFor();
  await field.fill('letter-to-find');
  await box.getByRole('link', { name: 'letter-to-find job' }).waitFor();
  expect(await bothViolations(page)).toEqual([]);
  await field.press('Enter');
  await page.getByText('letter-to-find', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Copy the id' }).waitFor();
});
