import { afterAll, expect, it, vi } from 'vitest';
import { createRegistry, defineTask } from '../../src/jobs/index.ts';
import { givenIndex } from '../support/rig.ts';
import { bothViolations } from './support/axe.ts';
import { type Dashboard, openDashboard, soon, statusBecomes } from './support/dashboard.ts';
import { misfits } from './support/widths.ts';

const registry = createRegistry();
defineTask({ name: 'send-mail', registry, maxAttempts: 1 }, () => {
  throw new TypeError('550 mailbox unknown');
});
const opened: Dashboard | undefined = await openDashboard({ jobs: { registry } });
const test = it.skipIf(!opened);
vi.setConfig({ testTimeout: 240_000 });
const dashboard = opened as Dashboard;
afterAll(() => opened?.close());

const PHONE = { width: 390, height: 844 };

test('a failed task says why first, in color, and once', async () => {
  const { id } = await dashboard.system.reembed.jobs.run('send-mail', { taskId: 'mail' });
  const page = await dashboard.open(`/tasks/${id}`);
  await statusBecomes(page, 'exhausted');
  const failure = page.getByRole('alert');
  await failure.getByText('The only attempt failed').waitFor();
  await failure.getByText('TypeError').waitFor();
  expect(await page.getByText('550 mailbox unknown').count()).toBe(1);
  expect(await bothViolations(page)).toEqual([]);
  expect(await misfits(page)).toEqual([]);
});

test('a reindex that waits or was refused shows from where to where, and leads to the task in its way', async () => {
  const { reembed, database } = dashboard.system;
  await givenIndex(database.db, 'docs-v1', { alias: 'docs' });
  await reembed.tasks.upsert({ index: 'docs', items: [{ id: 'a', payload: 'a lion' }] }, { wait: true });
  const destModel = { provider: 'words' } as const;
  await reembed.tasks.reindex({ taskId: 'first', source: 'docs', dest: 'docs-v2', destModel, approve: 'manual' });
  await soon(async () => (await reembed.tasks.info('first')).status).toBe('waiting');
  const again = { source: 'docs', dest: 'docs-v3', destModel };
  await reembed.tasks.reindex({ ...again, taskId: 'refused', onConflict: 'refuse' });
  await reembed.tasks.reindex({ ...again, taskId: 'patient' });
  for (const [id, status, text] of [
    ['refused', 'refused', 'It has changed nothing.'],
    ['patient', 'waiting', 'It has changed nothing yet.'],
  ] as const) {
    const page = await dashboard.open(`/tasks/${id}`);
    await statusBecomes(page, status);
    const pair = page.getByRole('group', { name: 'From and to' });
    await pair.getByRole('link', { name: 'docs-v1' }).waitFor();
    await pair.getByText('docs-v3').waitFor();
    await page.getByText(text, { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: /^Delete the/ }).count()).toBe(0);
    expect(await bothViolations(page)).toEqual([]);
    await page.getByRole('link', { name: 'first', exact: true }).first().click();
    await page.waitForURL(/\/tasks\/first$/);
    await page.context().close();
  }
  await reembed.tasks.cancel('patient');
  await reembed.tasks.cancel('first');
});

test('exact times, local or UTC, are shown by a tap, on all pages and after the next load', async () => {
  const { id } = await dashboard.system.reembed.jobs.run('send-mail', { taskId: 'timed' });
  const page = await dashboard.open(`/tasks/${id}`, { size: PHONE });
  await statusBecomes(page, 'exhausted');
  const first = page.locator('dd time').first();
  await page.getByRole('button', { name: /^Times: relative/ }).click();
  await soon(() => first.innerText()).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  await page.getByRole('button', { name: /^Times: local/ }).click();
  const utc = new Date((await first.getAttribute('datetime')) ?? '').toISOString().slice(0, 19).replace('T', ' ');
  await soon(() => first.innerText()).toBe(`${utc} UTC`);
  await page.reload();
  await soon(() => first.innerText()).toBe(`${utc} UTC`);
  expect(await bothViolations(page)).toEqual([]);
  expect(await misfits(page)).toEqual([]);
  await page.goto(`${new URL(page.url()).origin}/tasks`);
  await page.locator('[data-task="timed"]').waitFor();
  expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(PHONE.width);
  await page.getByRole('button', { name: /^Times: UTC/ }).click();
  await page.getByRole('button', { name: /^Times: relative/ }).waitFor();
});

test('a wrong address shows that there is no such page', async () => {
  const page = await dashboard.open('/nope', { complaints: /status of 404/ });
  await page.getByText('There is no such page').waitFor();
  await page.getByRole('link', { name: 'Indexes' }).click();
  await page.getByRole('heading', { name: 'Indexes' }).waitFor();
});
