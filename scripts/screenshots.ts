/**
 * Takes the pictures of docs/images from a running dashboard with the data of the tour: run `npm start` and, when the
 * tour has ended, `npx tsx scripts/screenshots.ts [address]`. It starts a reindex and cancels it again.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { createClient } from '../src/client/client.ts';
import { openBrowser } from '../test/dashboard/support/chromium.ts';

const IMAGES = fileURLToPath(new URL('../docs/images/', import.meta.url));
const baseUrl = process.argv[2] ?? 'http://127.0.0.1:7400';
const SIZE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

const reembed = createClient({ baseUrl });
const opened = await openBrowser();
if (!opened) throw new Error('there is no Chromium');
mkdirSync(IMAGES, { recursive: true });
const taken = new Set((await reembed.indexes.list()).map(({ name }) => name));
const dest =
  Array.from({ length: 100 }, (_, at) => `glosses-v${at + 3}`).find((name) => !taken.has(name)) ?? 'glosses-next';
const { id } = await reembed.tasks.reindex({
  taskId: `to-${dest}-${Date.now()}`,
  source: 'glosses',
  dest,
  destModel: { provider: 'hash', dimensions: 384 },
  ratePerSecond: 60,
});

async function shoot(
  name: string,
  address: string,
  loaded: (page: Page) => Promise<unknown>,
  { scheme = 'light', size = SIZE }: { scheme?: 'light' | 'dark'; size?: typeof SIZE } = {},
): Promise<void> {
  const context = await opened?.browser.newContext({ colorScheme: scheme, viewport: size, reducedMotion: 'reduce' });
  const page = await context?.newPage();
  if (!page) return;
  await page.goto(baseUrl + address);
  await loaded(page);
  // Wait for numbers that arrive a moment later.
  await page.waitForTimeout(1_500);
  await page.screenshot({ path: `${IMAGES}${name}.png` });
  console.log(`${name}.png`);
  await context?.close();
}

const text = (words: string | RegExp) => (page: Page) =>
  page.getByText(words).filter({ visible: true }).first().waitFor({ timeout: 60_000 });

await shoot('reindex', `/tasks/${id}`, async (page) => {
  await page.locator('li[aria-current=step]', { hasText: 'Copy' }).waitFor({ timeout: 60_000 });
  await text(/[1-9],\d{3} of 11/)(page);
});
const tour = (await reembed.tasks.page({ type: 'reindex', limit: 100 })).tasks.find((task) =>
  task.id.startsWith('tour-'),
);
const release = async (page: Page) => {
  await text('Open the report')(page);
  await text('Delete the old index…')(page);
};
await shoot('release', `/tasks/${tour?.id}`, release);
await shoot('release-dark', `/tasks/${tour?.id}`, release, { scheme: 'dark' });
await shoot('evaluation', `/tasks/${tour?.id}/evaluation`, text('queries that change most'));
await shoot('tasks', '/tasks', text(new RegExp(dest)));
await shoot('tasks-phone', '/tasks', text(new RegExp(dest)), { size: PHONE });
await shoot('indexes', '/indexes', text('being built'));
await shoot('search', '/search?text=wild%20cat&left=glosses-v1&right=glosses-v2', text('also found by the other'));
await shoot('activity-dark', '/activity', text('open now'), { scheme: 'dark' });
await reembed.tasks.cancel(id, 'only for its picture');
await opened.close();
