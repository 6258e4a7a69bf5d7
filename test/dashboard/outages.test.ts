import { afterAll, expect, it, onTestFinished, vi } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { startEmbeddingServer } from '../support/embedding-server.ts';
import { givenIndex } from '../support/rig.ts';
import { violations } from './support/axe.ts';
import { cuttable } from './support/cuttable.ts';
import { type Dashboard, openDashboard, soon, statusBecomes } from './support/dashboard.ts';

const opened: Dashboard | undefined = await openDashboard();
const test = it.skipIf(!opened);
vi.setConfig({ testTimeout: 400_000 });
const dashboard = opened as Dashboard;
afterAll(() => opened?.close());
const complaints = /Failed to load resource|ERR_/;

async function givenObjects(name: string, objects: number): Promise<void> {
  const { database, reembed } = dashboard.system;
  await givenIndex(database.db, name);
  const items = Array.from({ length: objects }, (_, at) => ({ id: `k${at}`, payload: `text ${at}.` }));
  await reembed.tasks.upsert({ index: name, items }, { wait: true });
}

test('a model that stops is named on the page of the reindex that waits for it, with what to do', async () => {
  await givenObjects('model-v1', 40);
  let server = await startEmbeddingServer({ delayMs: 300 });
  onTestFinished(() => server.close());
  const destModel = { provider: 'openai', name: 'm', dimensions: 8, baseUrl: server.url } as const;
  const body = { source: 'model-v1', dest: 'model-v2', destModel, batchSize: 1, concurrency: 1 };
  const { id } = await dashboard.system.reembed.tasks.reindex(body);
  const page = await dashboard.open(`/tasks/${id}`);
  await page
    .getByText(/^[1-9]\d* of 40$/)
    .first()
    .waitFor();
  await server.close();
  await page.getByText('It waits for the model').waitFor();
  await page.getByText('Check that the model’s server runs').waitFor();
  // A model does not stop the workers.
  expect(await page.getByText('No worker answers').count()).toBe(0);
  expect(await violations(page)).toEqual([]);
  server = await startEmbeddingServer({ port: Number(new URL(destModel.baseUrl).port) });
  await page.getByText('It waits for the model').waitFor({ state: 'detached' });
  await statusBecomes(page, 'done');
});

test('a database that stops is announced on every page, until it is back', async () => {
  const { database, listen } = dashboard.system;
  const way = await cuttable(database.url);
  const url = new URL(database.url);
  url.host = new URL(way.url).host;
  const db = openDatabase({ url: url.href });
  onTestFinished(() => db.destroy());
  const page = await dashboard.open('/tasks', { url: await listen({}, { db }), complaints });
  await page.getByRole('navigation').getByRole('link', { name: 'Indexes' }).click();
  await page.getByRole('button', { name: 'New index…' }).waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
  await way.cut();
  const alert = page.getByRole('alert').filter({ hasText: 'Postgres does not answer' });
  await alert.getByText('Start the server that DATABASE_URL names').waitFor();
  expect(await violations(page)).toEqual([]);
  await way.mend();
  await alert.waitFor({ state: 'detached' });
});

test('workers that stop are announced, nothing pretends to run, and it ends when one is back', async () => {
  await givenObjects('worker-v1', 40);
  const server = await startEmbeddingServer({ delayMs: 300 });
  onTestFinished(() => server.close());
  const destModel = { provider: 'openai', name: 'm', dimensions: 8, baseUrl: server.url } as const;
  const body = { source: 'worker-v1', dest: 'worker-v2', destModel, batchSize: 1, concurrency: 1 };
  const { id } = await dashboard.system.reembed.tasks.reindex(body);
  const task = await dashboard.open(`/tasks/${id}`);
  const list = await dashboard.open('/tasks');
  for (const page of [task, list]) await page.locator('.pulse').first().waitFor();
  const startWorkers = await dashboard.system.stopWorkers();
  for (const page of [task, list]) {
    const alert = page.getByRole('alert').filter({ hasText: 'No worker answers' });
    await alert.getByText('Start one: reembed worker').waitFor();
    await soon(() => page.locator('.pulse').count()).toBe(0);
  }
  await task.getByText('This is the last known state of the task').waitFor();
  expect(await violations(task)).toEqual([]);
  await startWorkers();
  for (const page of [task, list]) {
    await page.getByRole('alert').filter({ hasText: 'No worker answers' }).waitFor({ state: 'detached' });
  }
  await statusBecomes(task, 'done');
});
