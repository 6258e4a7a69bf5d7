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
