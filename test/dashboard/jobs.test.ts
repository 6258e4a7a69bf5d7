import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createRegistry, defineTask } from '../../src/jobs/index.ts';
import { givenIndex } from '../support/rig.ts';
import { type Dashboard, openDashboard, statusBecomes } from './support/dashboard.ts';
import { misfits } from './support/widths.ts';

vi.setConfig({ testTimeout: 240_000 });
const registry = createRegistry();
defineTask(
  { name: 'greet', description: 'Greets someone.', input: z.object({ to: z.string().min(2) }), registry },
  ({ to }) => ({
    text: `hello ${to}`,
  }),
);
const fall = () => {
  throw new Error('it fell');
};
const backOff = { initial: '1h', max: '1h' } as const;
defineTask({ name: 'fall', input: z.array(z.string()), backOff, registry }, fall);
const opened: Dashboard | undefined = await openDashboard({ jobs: { registry } });
const test = it.skipIf(!opened);
const dashboard = opened as Dashboard;

beforeAll(async () => {
  if (!opened) return;
  await givenIndex(opened.system.database.db, 'docs-v1', { alias: 'docs' });
  const items = ['a lion sleeps', 'a train leaves'].map((payload, at) => ({ id: `o${at}`, payload }));
  await opened.system.reembed.tasks.upsert({ taskId: 'first-write', index: 'docs', items }, { wait: true });
});
afterAll(() => opened?.close());

test('a job runs with an input that the API has checked, and its page shows the result', async () => {
  const page = await dashboard.open('/jobs');
  await page.getByRole('button', { name: 'Run a job…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: 'Job' }).fill('greet');
  await dialog.getByLabel('Input (JSON)').fill('{"to": ');
  await dialog.getByRole('button', { name: 'Run the job' }).click();
  await dialog.getByText('must be JSON').waitFor();
  await dialog.getByLabel('Input (JSON)').fill('{"to": "Ann"}');
  await dialog.getByLabel('Attempts').fill('1000');
  await dialog.getByRole('button', { name: 'Run the job' }).click();
  await dialog.getByText('Enter at most 100.').waitFor();
  await dialog.getByLabel('Attempts').fill('2');
  await dialog.getByRole('button', { name: 'Run the job' }).click();
  await page.getByRole('heading', { name: 'greet' }).waitFor();
  await statusBecomes(page, 'done');
  await page.getByRole('region', { name: 'the result', exact: true }).getByText('hello Ann').waitFor();
  await page.getByRole('region', { name: 'the input', exact: true }).getByText('"Ann"').waitFor();
  await page.getByRole('button', { name: 'Run again with this input…' }).click();
  const again = page.getByRole('dialog', { name: 'Run greet' });
  expect(JSON.parse(await again.getByLabel('Input (JSON)').inputValue())).toEqual({ to: 'Ann' });
  expect(await again.getByLabel('Attempts').inputValue()).toBe('2');
});

test('a job that failed says when it is tried again, and how it was started', async () => {
  await dashboard.system.reembed.jobs.run('fall', { taskId: 'falling', input: ['x'], maxAttempts: 3 });
  const page = await dashboard.open('/tasks/falling');
  await statusBecomes(page, 'retrying');
  await page.getByRole('alert').getByText('it fell').waitFor();
  await page.getByRole('alert').locator('time').first().waitFor();
  await page.getByRole('region', { name: 'the input', exact: true }).getByText('"x"').waitFor();
});

test('a schedule is changed in a form that keeps what it does not show', async () => {
  const { schedules } = dashboard.system.reembed;
  await schedules.put('greet', 'daily', { every: '1h', input: { to: 'Eve' }, options: { queue: 'mail' } });
  const page = await dashboard.open('/schedules');
  await page.getByRole('button', { name: 'Change: greet, daily' }).filter({ visible: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Change the schedule greet, daily' });
  expect(JSON.parse(await dialog.getByLabel('Input of each run (JSON)').inputValue())).toEqual({ to: 'Eve' });
  await dialog.getByLabel('Every').fill('often');
  await dialog.getByRole('button', { name: 'Change the schedule' }).click();
  await dialog
    .getByText(/an interval such as 90s/)
    .last()
    .waitFor();
  await dialog.getByLabel('Every').fill('2h');
  await dialog.getByRole('button', { name: 'Change the schedule' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.locator('[data-schedule="greet/daily"]').getByText('2h').filter({ visible: true }).first().waitFor();
  expect(await schedules.get('greet', 'daily')).toMatchObject({
    every: '2h',
    input: { to: 'Eve' },
    options: { queue: 'mail' },
  });
});

test('an audit of an index is scheduled in the form of an audit', async () => {
  const page = await dashboard.open('/schedules');
  await page.getByRole('button', { name: 'New schedule…' }).click();
  const dialog = page.getByRole('dialog', { name: 'New schedule' });
  await dialog.getByLabel('Runs', { exact: true }).selectOption('audit');
  await dialog.getByLabel('Name', { exact: true }).fill('nightly');
  await dialog.getByRole('combobox', { name: 'Index' }).fill('docs');
  await dialog.getByLabel('Repair what is found').check();
  await dialog.getByRole('button', { name: 'Create the schedule' }).click();
  await page.locator('[data-schedule="nightly/default"]').waitFor();
  const made = await dashboard.system.reembed.schedules.get('nightly', 'default');
  expect(made).toMatchObject({ type: 'audit', input: { index: 'docs', repair: true } });
});

test('tasks are listed by what they do, with their indexes, and without dry runs', async () => {
  const { reembed } = dashboard.system;
  const steer = { taskId: 'what-if', action: 'cancel', filter: { index: 'docs' }, dryRun: true } as const;
  await reembed.tasks.steerAll(steer, { wait: true });
  await reembed.jobs.run('greet', { taskId: 'greeting', input: { to: 'Bob' } }, { wait: true });
  const page = await dashboard.open('/tasks');
  const rowOf = (id: string) => page.locator(`[data-task="${id}"]`);
  await rowOf('greeting').getByText('greet', { exact: true }).waitFor();
  await rowOf('first-write').getByRole('link', { name: 'upsert 2 → docs, first-write' }).waitFor();
  await rowOf('first-write').getByRole('link', { name: 'docs', exact: true }).waitFor();
  expect(await rowOf('what-if').count()).toBe(0);
  // Cells with a checkbox have no text to read.
  expect((await misfits(page)).filter((cell) => !/px: {2}\(/.test(cell))).toEqual([]);
  await page.goto(`${dashboard.system.url}/tasks?type=steer`);
  await rowOf('what-if').getByText('cancel tasks (dry run)').waitFor();
});
