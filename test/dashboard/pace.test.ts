import { afterAll, expect, it, vi } from 'vitest';
import { givenIndex } from '../support/rig.ts';
import { violations } from './support/axe.ts';
import { type Dashboard, openDashboard, statusBecomes } from './support/dashboard.ts';

const opened: Dashboard | undefined = await openDashboard();
const test = it.skipIf(!opened);
vi.setConfig({ testTimeout: 400_000 });
const dashboard = opened as Dashboard;
afterAll(() => opened?.close());

test('the page of a slow reindex says what slows it, until it does no longer', async () => {
  const { database, reembed } = dashboard.system;
  await givenIndex(database.db, 'slow-v1');
  const items = Array.from({ length: 200 }, (_, at) => ({ id: `k${at}`, payload: `text ${at}.` }));
  await reembed.tasks.upsert({ index: 'slow-v1', items }, { wait: true });
  const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;
  const body = { source: 'slow-v1', dest: 'slow-v2', destModel, batchSize: 1, concurrency: 1, ratePerSecond: 2 };
  const { id } = await reembed.tasks.reindex(body);
  const page = await dashboard.open(`/tasks/${id}`);
  const shown = page.getByRole('status').filter({ hasText: /^Throttled to 2\/s\.$/ });
  await shown.waitFor({ timeout: 90_000 });
  expect(await violations(page)).toEqual([]);
  expect(await page.getByText(/throttled to/i).count()).toBe(1);
  await reembed.tasks.throttle(id, null);
  await statusBecomes(page, 'done');
  expect(await shown.count()).toBe(0);
});
