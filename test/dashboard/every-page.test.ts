import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createRegistry, defineTask } from '../../src/jobs/index.ts';
import { saveQuerySet } from '../../src/store/query-sets.ts';
import { givenIndex } from '../support/rig.ts';
import { bothViolations, violations } from './support/axe.ts';
import { type Dashboard, openDashboard } from './support/dashboard.ts';

vi.setConfig({ testTimeout: 360_000 });
const registry = createRegistry();
defineTask({ name: 'send-report', registry }, () => {});
const opened: Dashboard | undefined = await openDashboard({ jobs: { registry } });
const dashboard = opened as Dashboard;

const PHONE = { width: 390, height: 844 };
/** Every page, and what it shows after it has loaded. */
const PAGES: [address: string, loaded: string][] = [
  ['/', 'Waits for workers'],
  ['/tasks', '1 to '],
  ['/tasks/rebuild', 'is complete and serves as docs'],
  ['/tasks/compare', 'Open the report'],
  ['/tasks/compare/evaluation', 'in german'],
  ['/indexes', 'docs-v2'],
  ['/indexes/docs', 'a lion sleeps'],
  ['/indexes/docs/object?id=o0', 'a lion sleeps'],
  ['/search?text=lion', 'answered in'],
  ['/query-sets', 'questions'],
  ['/query-sets/questions', 'in german'],
  ['/sources', 'No sources yet'],
  ['/audits', 'None yet'],
  ['/jobs', 'does not know the jobs'],
  ['/schedules', 'send-report'],
  ['/activity', 'since this page was opened'],
];
/** The forms, and the button that opens each. */
const FORMS: [address: string, button: string][] = [
  ['/indexes', 'Reindex…'],
  ['/indexes', 'New index…'],
  ['/indexes', 'New alias…'],
  ['/indexes/docs', 'Add objects…'],
  ['/indexes/docs', 'Delete…'],
  ['/indexes/docs', 'Change…'],
  ['/indexes/docs', 'Export…'],
  ['/query-sets', 'New query set…'],
  ['/query-sets', 'Compare two indexes…'],
  ['/query-sets', 'Change what docs keeps'],
  ['/query-sets/questions', 'Delete…'],
  ['/indexes/docs/object?id=o0', 'Edit…'],
  ['/indexes/docs/object?id=o0', 'Delete…'],
  ['/sources', 'Add a source…'],
  ['/audits', 'New audit…'],
  ['/jobs', 'Run a job…'],
  ['/schedules', 'New schedule…'],
  ['/tasks', 'Shortcuts'],
];

beforeAll(async () => {
  if (!opened) return;
  const { database, reembed } = opened.system;
  await givenIndex(database.db, 'docs-v1', { alias: 'docs' });
  const items = ['a lion sleeps', 'a train leaves'].map((payload, at) => ({ id: `o${at}`, payload }));
  await reembed.tasks.upsert({ index: 'docs', items }, { wait: true });
  await reembed.tasks.upsert({ index: 'docs', items: [{ id: 'o9', uri: 'gopher://none' }] }, { wait: true });
  const reindex = { taskId: 'rebuild', source: 'docs', dest: 'docs-v2', destModel: { provider: 'words' } } as const;
  await reembed.tasks.reindex(reindex, { wait: true });
  const queries = ['lion', 'train', 'in german'].map((text, at) => ({
    id: `q${at}`,
    text,
    relevant: [{ id: `o${at % 2}`, grade: 1 }],
    metadata: { lang: at === 2 ? 'de' : 'en' },
  }));
  await saveQuerySet(database.db, 'questions', queries);
  const evaluation = { left: 'docs-v1', right: 'docs-v2', querySet: 'questions', breakdown: 'lang', efSearch: [100] };
  await reembed.tasks.evaluate({ taskId: 'compare', ...evaluation }, { wait: true });
  await reembed.schedules.put('send-report', 'default', { every: '1h' });
});
afterAll(() => opened?.close());

const seen = (page: Page, text: string) => page.getByText(text).filter({ visible: true }).first().waitFor();

describe.skipIf(!opened)('in light and dark colors, axe finds nothing serious', () => {
  it('on any page', async () => {
    for (const [address, loaded] of PAGES) {
      const page = await dashboard.open(address);
      await seen(page, loaded);
      expect([address, await bothViolations(page)]).toEqual([address, []]);
      await page.context().close();
    }
  });

  it('in any form, or in the bulk actions for tasks', async () => {
    for (const [address, button] of FORMS) {
      const page = await dashboard.open(address);
      await page.getByRole('button', { name: button }).first().click();
      await page.getByRole('dialog').waitFor();
      expect([button, await bothViolations(page)]).toEqual([button, []]);
      await page.context().close();
    }
    const page = await dashboard.open('/tasks');
    await page.getByLabel('Select all on this page').check();
    await page.getByRole('region', { name: 'Selected tasks' }).getByRole('button', { name: 'Restart…' }).click();
    await page.getByText('Nothing has been done yet').waitFor();
    expect(await bothViolations(page)).toEqual([]);
  });
});

describe.skipIf(!opened)('every page', () => {
  it('changes immediately if reduced motion is preferred', async () => {
    const page = await dashboard.open('/activity');
    await seen(page, 'since this page was opened');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.locator('[data-mantine-color-scheme=dark]').waitFor();
    expect(await page.evaluate('document.getAnimations().length')).toBe(0);
  });

  it('fits a phone without horizontal scrolling', async () => {
    for (const [address, loaded] of PAGES) {
      const page = await dashboard.open(address, { size: PHONE });
      await seen(page, loaded);
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      expect([address, width]).toEqual([address, PHONE.width]);
      await page.context().close();
    }
  });

  it('leaves room for the names of indexes at any screen width', async () => {
    const page = await dashboard.open('/indexes');
    await seen(page, 'docs-v2');
    const cell = page.locator('[data-index="docs-v2"] td').first();
    for (const width of [768, 992, 1024, 1100, 1200, 1280, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      const box = await cell.boundingBox();
      expect(box?.width, `at ${width} px`).toBeGreaterThan(190);
    }
  });

  it('follows the colors of the system again after light and dark were chosen', async () => {
    const page = await dashboard.open('/tasks');
    const scheme = page.getByRole('button', { name: /^Colors:/ });
    await scheme.click();
    await page.getByRole('button', { name: 'Colors: light. Change to dark' }).click();
    await page.locator('[data-mantine-color-scheme=dark]').waitFor();
    await page.getByRole('button', { name: 'Colors: dark. Change to as the system' }).click();
    await page.locator('[data-mantine-color-scheme=light]').waitFor();
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.locator('[data-mantine-color-scheme=dark]').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('table', { name: 'Shortcuts' }).waitFor();
  });

  it('is reachable on a phone by the menu', async () => {
    const page = await dashboard.open('/tasks', { size: PHONE });
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByRole('link', { name: 'Schedules' }).click();
    await page.getByRole('heading', { name: 'Schedules' }).waitFor();
    // Not visible, and not reachable with the Tab key.
    await page.getByRole('link', { name: 'Activity' }).waitFor({ state: 'hidden' });
    // The narrowest screen that shows it beside the page.
    await page.setViewportSize({ width: 768, height: 900 });
    await page.getByRole('link', { name: 'Activity' }).waitFor();
  });

  it('says that the API does not answer, whatever it shows, until it is back', async () => {
    for (const [address, loaded] of PAGES) {
      const page = await dashboard.open(address, { complaints: /Failed to load resource/ });
      await seen(page, loaded);
      await page.context().route('**/v1/**', (route) => route.abort());
      await page.getByRole('alert').filter({ hasText: 'The API does not answer' }).first().waitFor();
      await seen(page, 'start the API: reembed api');
      expect([address, await page.locator('.pulse').count()]).toEqual([address, 0]);
      await page.context().unroute('**/v1/**');
      await page.getByText('start the API: reembed api').waitFor({ state: 'detached' });
      await page.context().close();
    }
  });

  it('shows the problem when the API is unavailable, and continues when it is back', async () => {
    const complaints = /Failed to load resource/;
    const page = await dashboard.open('/indexes', { complaints });
    await seen(page, 'docs-v2');
    await page.context().route('**/v1/**', (route) => route.abort());
    await page.getByRole('link', { name: 'Schedules' }).click();
    await seen(page, 'The schedules cannot be listed');
    await page.getByRole('link', { name: 'Tasks' }).click();
    await seen(page, 'The tasks cannot be listed');
    await page.context().unroute('**/v1/**');
    await seen(page, '1 to ');
  });

  it('reports missing resources', async () => {
    const complaints = /404/;
    for (const [address, text] of [
      ['/tasks/nobody', 'There is no such task'],
      ['/indexes/nothing', 'There is no such index'],
      ['/tasks?status=paused', 'No matching tasks'],
    ] as const) {
      await seen(await dashboard.open(address, { complaints }), text);
    }
  });
});

describe.skipIf(!opened)('an API that needs tokens', () => {
  const complaints = /401|403/;
  const listen = () =>
    dashboard.system.listen({
      apiTokens: [
        { name: 'ann', role: 'admin', token: 'of-ann' },
        { name: 'vera', role: 'view', token: 'of-vera' },
      ],
    });

  it('makes the page ask for a token, keep it in the tab, and forget it on request', async () => {
    const page = await dashboard.open('/tasks', { url: await listen(), complaints });
    await page.getByLabel('API token').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await seen(page, 'The server does not know this token.');
    await page.getByLabel('API token').fill('of-ann');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await seen(page, '1 to ');
    await seen(page, 'ann (admin)');
    await page.reload();
    await seen(page, '1 to ');
    expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain('of-ann');
    await page.getByRole('button', { name: 'Forget the token' }).click();
    await page.getByLabel('API token').waitFor();
    expect(await violations(page)).toEqual([]);
  });

  it('shows no payloads to a view token, and explains what it must not do', async () => {
    const page = await dashboard.open('/indexes/docs', { url: await listen(), complaints });
    await page.getByLabel('API token').fill('of-vera');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await seen(page, 'Not shown to this token');
    expect(await page.getByText('a lion sleeps').count()).toBe(0);
    const reindex = page.getByRole('button', { name: 'Reindex…' });
    expect(await reindex.getAttribute('aria-disabled')).toBe('true');
    await reindex.click({ force: true });
    expect(await page.getByRole('dialog').count()).toBe(0);
    await reindex.focus();
    await seen(page, 'This needs the role “operate”; the token has “view”.');
    await page.getByRole('navigation').getByRole('link', { name: 'Search' }).click();
    await seen(page, 'Not shown to this token');
  });
});
