import type { Page } from 'playwright-core';
import { afterAll, expect, it, vi } from 'vitest';
import { DIMENSIONS, type Provider, startProvider } from '../providers/provider.ts';
import { givenIndex } from '../support/rig.ts';
import { bothViolations } from './support/axe.ts';
import { type Dashboard, openDashboard, soon, statusBecomes } from './support/dashboard.ts';
import { misfits } from './support/widths.ts';

const opened: Dashboard | undefined = await openDashboard();
const test = it.skipIf(!opened);
vi.setConfig({ testTimeout: 300_000 });
const dashboard = opened as Dashboard;

const provider = opened && (await startProvider());
afterAll(async () => {
  await opened?.close();
  await provider?.close();
});

const buttonOf = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const dialogOf = (page: Page) => page.getByRole('dialog');
const servingAs = async (alias: string) =>
  (await dashboard.system.reembed.aliases.list()).find((each) => each.alias === alias)?.index;

async function expectGoodLooks(page: Page, state: string): Promise<void> {
  expect([state, await bothViolations(page)]).toEqual([state, []]);
  expect([state, await misfits(page)]).toEqual([state, []]);
}

/** Why a step is not possible now. */
const reasonOf = (page: Page, name: string) => buttonOf(page, name).getAttribute('aria-description');

async function createIndexWithTexts(page: Page): Promise<void> {
  await buttonOf(page, 'New index…').click();
  await buttonOf(page, 'Create the index').click();
  await page.getByText('No objects yet').waitFor();
  await buttonOf(page, 'Add objects…').click();
  await buttonOf(page, 'Fill in an example').click();
  await buttonOf(page, 'Write 12 objects').click();
  await statusBecomes(page, 'done');
}

async function search(page: Page): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name: 'Search' }).click();
  await page.getByLabel('Search for').fill('a doctor');
  await buttonOf(page, 'Search').click();
  await page.getByRole('table', { name: 'Found in docs-v1' }).getByRole('row').nth(1).waitFor();
}

/** Plans and starts a reindex that waits for an approval, and keeps the old index current. */
async function startReindex(page: Page): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name: 'Indexes' }).click();
  await buttonOf(page, 'Reindex…').click();
  const dialog = dialogOf(page);
  await dialog.getByLabel('The switch').selectOption({ label: 'waits for an approval' });
  await dialog.getByLabel('The old index').selectOption('keepCurrent');
  await buttonOf(page, 'Plan it first').click();
  const plan = dialog.getByRole('table', { name: 'Plan' });
  await plan.getByRole('row', { name: /^texts 12 exact/ }).waitFor();
  await expectGoodLooks(page, 'planned');
  await buttonOf(page, 'Start the reindex').click();
  await page.waitForURL(/\/tasks\/./);
  await statusBecomes(page, 'waiting');
}

async function compare(page: Page): Promise<void> {
  await buttonOf(page, 'Compare…').click();
  const dialog = dialogOf(page);
  await dialog.getByText('A sentence of each text becomes a query').waitFor();
  await expectGoodLooks(page, 'comparing');
  await buttonOf(page, 'Compare').click();
  const scores = page.getByRole('table', { name: 'Scores of both indexes' });
  await scores.getByRole('row', { name: 'nDCG' }).waitFor();
  await page.getByRole('link', { name: 'Open the report' }).click();
  await page.getByTestId('verdict').getByRole('link', { name: 'docs-v2' }).waitFor();
  await page.goBack();
}

/** Sends searches to the new index, and ends that. */
async function tryOnSearches(page: Page): Promise<void> {
  const { reembed } = dashboard.system;
  await buttonOf(page, 'Try it on live searches…').click();
  const dialog = dialogOf(page);
  await dialog.getByLabel('Shadow').fill('100');
  await dialog.getByLabel('Canary').fill('101');
  await dialog.getByText('Enter a number from 0 to 100.').waitFor();
  expect(await buttonOf(page, 'Set the shares').isDisabled()).toBe(true);
  await dialog.getByLabel('Canary').fill('50');
  await buttonOf(page, 'Set the shares').click();
  await page.getByText('100% of the searches also run there').waitFor();
  const searches = page.getByRole('table', { name: 'Shadow' }).getByRole('row', { name: /^Searches ([1-9]\d*) \1/ });
  await soon(async () => {
    await reembed.search('docs', { text: 'a doctor' });
    return searches.count();
  }).toBe(1);
  await page.getByRole('table', { name: 'Canary' }).waitFor();
  await page.getByText(/^Both return the same \d/).waitFor();
  await expectGoodLooks(page, 'deciding');
  await buttonOf(page, 'Change or end…').click();
  await buttonOf(page, 'End both').click();
  await page.getByText('No live search reaches it.').waitFor();
}

async function writeMeanwhile(page: Page): Promise<void> {
  const items = [{ id: 'baker', payload: 'a person who bakes bread' }];
  await dashboard.system.reembed.tasks.upsert({ index: 'docs', items }, { wait: true });
  await page
    .getByTestId('live-writes')
    .filter({ hasText: /^1 written, 0 deleted.*; 1 of them forwarded$/ })
    .waitFor();
}

async function approve(page: Page): Promise<void> {
  expect(await reasonOf(page, 'Roll back…')).toBe('Nothing is switched yet.');
  expect(await reasonOf(page, 'Delete the old index…')).toBe('The reindex needs both indexes until it ends.');
  await buttonOf(page, 'Approve…').click();
  await dialogOf(page).getByLabel('Reason').fill('finds more');
  await buttonOf(page, 'Approve the switch').click();
  await statusBecomes(page, 'done');
  await page.getByText('docs-v2 serves as docs. Roll back if it does worse').waitFor();
  expect(await servingAs('docs')).toBe('docs-v2');
  await expectGoodLooks(page, 'switched');
}

async function rollBackAndForward(page: Page): Promise<void> {
  await buttonOf(page, 'Roll back…').click();
  await dialogOf(page).getByText('Nothing is lost').waitFor();
  await expectGoodLooks(page, 'rolling-back');
  await buttonOf(page, 'Roll back').click();
  await page.getByText('Rolled back: docs-v1 serves').waitFor();
  expect(await servingAs('docs')).toBe('docs-v1');
  await buttonOf(page, 'Delete the new index…').waitFor();
  await buttonOf(page, 'Roll forward…').click();
  await buttonOf(page, 'Roll forward').click();
  await page.getByText('docs-v2 serves as docs.').waitFor();
  expect(await servingAs('docs')).toBe('docs-v2');
}

async function deleteOld(page: Page): Promise<void> {
  await buttonOf(page, 'Delete the old index…').click();
  const confirm = buttonOf(page, 'Delete the index');
  await dialogOf(page).getByText('12 objects and all vectors of docs-v1 are deleted').waitFor();
  expect(await confirm.isDisabled()).toBe(true);
  await dialogOf(page).getByLabel('Type docs-v1 to confirm').fill('docs-v1');
  await confirm.click();
  const names = async () => (await dashboard.system.reembed.indexes.list()).map(({ name }) => name);
  await soon(names).toEqual(['docs-v2']);
  await page.getByText('docs-v2 serves, and docs-v1 is deleted.').waitFor();
  expect(await reasonOf(page, 'Delete the old index…')).toBe('docs-v1 is deleted.');
  await expectGoodLooks(page, 'deleted');
}

test('a newcomer releases a new model by clicking alone: plan, run, compare, approve, roll back, delete', async () => {
  // The reads of a task without any, and an index that is just deleted.
  const page = await dashboard.open('/indexes', { complaints: /status of (404|409)/ });
  await createIndexWithTexts(page);
  await search(page);
  await startReindex(page);
  await page.getByRole('group', { name: 'From and to' }).getByText('words/').waitFor();
  await compare(page);
  await tryOnSearches(page);
  await writeMeanwhile(page);
  await approve(page);
  await rollBackAndForward(page);
  await deleteOld(page);
});

test('a reindex that has used up its budget says so, and continues when the budget is raised', async () => {
  const { reembed, database } = dashboard.system;
  await givenIndex(database.db, 'texts-v1', { alias: 'texts' });
  const items = Array.from({ length: 30 }, (_, at) => ({ id: `k${at}`, payload: `text ${at}` }));
  await reembed.tasks.upsert({ index: 'texts', items }, { wait: true });
  const { baseUrl } = (provider as Provider).use('counting', (call) => call.embed());
  const { id } = await reembed.tasks.reindex({
    ...{ source: 'texts', dest: 'texts-v2', batchSize: 5, concurrency: 1, budget: { tokens: 12 } },
    destModel: { provider: 'openai', name: 'counting', dimensions: DIMENSIONS, baseUrl, sendDimensions: false },
  });
  const page = await dashboard.open(`/tasks/${id}`);
  await statusBecomes(page, 'paused');
  await page.getByRole('alert').getByText('The budget is used up').waitFor();
  const use = page.getByRole('table', { name: 'Use of the model' });
  await use.getByRole('row', { name: /^Tokens 1\d 12 unknown/ }).waitFor();
  await use.getByRole('row', { name: /^Cost unknown price none/ }).waitFor();
  await expectGoodLooks(page, 'over-budget');

  await buttonOf(page, 'Raise the budget…').click();
  const dialog = dialogOf(page);
  const confirm = buttonOf(page, 'Raise and continue');
  expect(await confirm.isDisabled()).toBe(true);
  expect(await dialog.getByLabel('US dollars').isDisabled()).toBe(true);
  await dialog.getByLabel('Tokens').fill('11');
  await dialog.getByText(/^Enter more than 1\d, which is used already\.$/).waitFor();
  expect(await confirm.isDisabled()).toBe(true);
  await dialog.getByLabel('Tokens').fill('1000');
  await expectGoodLooks(page, 'raising');
  await confirm.click();
  await dialog.waitFor({ state: 'detached' });
  expect(await reembed.tasks.wait(id, { seconds: 90 })).toMatchObject({ status: 'done' });
  await statusBecomes(page, 'done');
  await use.getByRole('row', { name: /^Tokens \d+ 1,000 about \d+/ }).waitFor();
  expect(await servingAs('texts')).toBe('texts-v2');
});

test('the watch after a switch is shown with its bounds and what it has measured', async () => {
  const { reembed, database } = dashboard.system;
  await givenIndex(database.db, 'watched-v1', {});
  const task = await reembed.tasks.deleteIndex({ index: 'watched-v1', after: '24h' });
  const figures = { searches: 240, emptyShare: 0.05, errorShare: 0, latencyP95Ms: 41 };
  const watch = {
    ...figures,
    untilTime: new Date(Date.now() + 3_600_000).toISOString(),
    rollBackIf: { emptyShare: 0.1, latencyP95Ratio: 2, minSearches: 100 },
    since: task.createTime,
    baseline: { ...figures, searches: 300, emptyShare: 0.02 },
    verdict: 'watching',
    why: null,
    problem: null,
  };
  const page = await dashboard.open('/tasks');
  const shown = { ...task, status: 'waiting', data: { ...task.data, watch } };
  await page.context().route('**/v1/tasks/events?**', (route) =>
    route.fulfill({
      contentType: 'text/event-stream',
      body: `id: 1\nevent: tracker\ndata: ${JSON.stringify(shown)}\n\n`,
    }),
  );
  await page.getByRole('link', { name: task.id }).first().click();
  await page.getByText('No bound is exceeded.').waitFor();
  const table = page.getByRole('table', { name: 'Watch' });
  await table.getByRole('row', { name: /^Searches 300 240 at least 100/ }).waitFor();
  await table.getByRole('row', { name: /^Empty answers 2% 5% 10%/ }).waitFor();
  await table.getByRole('row', { name: /^Failed 0% 0% none/ }).waitFor();
  await table.getByRole('row', { name: /^95th percentile 41\.0 ms 41\.0 ms 2 times/ }).waitFor();
  await expectGoodLooks(page, 'watching');
});
