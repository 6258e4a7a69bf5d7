import type { Locator, Page } from 'playwright-core';
import { afterAll, expect, it, vi } from 'vitest';
import type { Watch } from '../../src/contract/watch.ts';
import { givenIndex } from '../support/rig.ts';
import { bothViolations } from './support/axe.ts';
import { type Dashboard, openDashboard, soon, statusBecomes } from './support/dashboard.ts';
import { misfits } from './support/widths.ts';

const opened: Dashboard | undefined = await openDashboard();
const test = it.skipIf(!opened);
vi.setConfig({ testTimeout: 240_000 });
const dashboard = opened as Dashboard;
afterAll(() => opened?.close());

async function open(address: string, button: string): Promise<{ page: Page; dialog: Locator }> {
  const page = await dashboard.open(address);
  await page.getByRole('button', { name: button }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  return { page, dialog };
}

const choose = (dialog: Locator, label: string, option: string) =>
  dialog.getByLabel(label, { exact: true }).selectOption(option);
const press = (dialog: Locator, name: string) => dialog.getByRole('button', { name, exact: true }).click();
const unfold = (dialog: Locator, title: string) => dialog.locator('summary', { hasText: title }).click();
/** For the page: the label of the focused field. */
const FOCUSED = `document.querySelector('label[for="' + document.activeElement.id + '"]')?.textContent`;

async function expectGoodLooks(page: Page, state: string): Promise<void> {
  expect([state, await bothViolations(page)]).toEqual([state, []]);
  expect([state, await misfits(page)]).toEqual([state, []]);
}

test('an index is created with full text and its own vector index', async () => {
  const { page, dialog } = await open('/indexes', 'New index…');
  await dialog.getByLabel('Name', { exact: true }).fill('books-v1');
  await dialog.getByLabel('Alias', { exact: true }).fill('');
  await choose(dialog, 'Search by words', 'words');
  await choose(dialog, 'Language of the texts', 'german');
  await dialog.getByLabel('Metadata field with the language').fill('lang');
  await unfold(dialog, 'Parts, distance and vector index');
  await choose(dialog, 'Split texts by', 'tokens');
  await dialog.getByRole('combobox', { name: 'Tokenizer' }).fill('estimate');
  await dialog.getByLabel('Embedded fields').fill('title, body.text');
  await choose(dialog, 'Vectors of an object', 'yes');
  await choose(dialog, 'Versions of objects', 'external');
  await dialog.getByLabel('Objects may have vectors of their own').check();
  await choose(dialog, 'Vectors are stored', 'halfvec');
  await choose(dialog, 'Vector index', 'own');
  await choose(dialog, 'Precision in the index', 'bit');
  await dialog.getByLabel('Neighbors of a vector').fill('20');
  await expectGoodLooks(page, 'new index');
  await press(dialog, 'Create the index');
  await page.getByText('No objects yet').waitFor();
  expect(await dashboard.system.reembed.indexes.get('books-v1')).toMatchObject({
    fullText: { language: 'german', languageField: 'lang' },
    splitter: {
      chunkTokens: 460,
      overlapTokens: 46,
      format: 'text',
      tokenizer: 'estimate',
      fields: ['title', 'body.text'],
    },
    average: true,
    versioning: 'external',
    readyVectors: true,
    storage: 'halfvec',
    vectorIndex: { kind: 'hnsw', precision: 'bit', dimensions: 256, m: 20, efConstruction: 64 },
  });
});

test('the form of a model fills in what is known of it, and says what is missing in plain words', async () => {
  const { page, dialog } = await open('/indexes', 'New index…');
  const dimensions = dialog.getByLabel('Dimensions', { exact: true });
  await choose(dialog, 'Model', 'cohere');
  expect(await dialog.getByLabel('Name of the model').inputValue()).toBe('embed-v4.0');
  expect(await dimensions.inputValue()).toBe('1536');
  await dialog.getByLabel('Name of the model').fill('embed-english-v3.0');
  await soon(() => dimensions.inputValue()).toBe('1024');
  await dialog.getByLabel('Name of the model').fill('');
  await dimensions.fill('');
  await press(dialog, 'Create the index');
  await dialog.getByText('Enter a value.').waitFor();
  await soon(() => page.evaluate(FOCUSED)).toBe('Name of the model');
  await dialog.getByLabel('Name of the model').fill('one-of-ours');
  await press(dialog, 'Create the index');
  await dialog.getByText('Enter a number.').waitFor();
  await soon(() => page.evaluate(FOCUSED)).toBe('Dimensions');
});

test('a form unfolds and moves to the field that is wrong', async () => {
  const { page, dialog } = await open('/indexes', 'New index…');
  await unfold(dialog, 'Parts, distance and vector index');
  await dialog.getByLabel('Shared with the part before').fill('1500');
  await unfold(dialog, 'Parts, distance and vector index');
  await press(dialog, 'Create the index');
  await dialog.getByText('Must be at most half of the part.').waitFor();
  await soon(() => page.evaluate(FOCUSED)).toBe('Shared with the part before');
});

test('a reindex is started with full text, its own limits, a time to decide and a watch', async () => {
  const { reembed, database } = dashboard.system;
  await givenIndex(database.db, 'news-v1', { alias: 'news' });
  await reembed.tasks.upsert({ index: 'news', items: [{ id: 'a', payload: 'a lion sleeps' }] }, { wait: true });
  const { page, dialog } = await open('/indexes', 'Reindex…');
  await choose(dialog, 'Rebuild', 'news');
  await choose(dialog, 'Search by words', 'words');
  await unfold(dialog, 'Parts, distance and vector index');
  await choose(dialog, 'Vectors are stored', 'halfvec');
  await choose(dialog, 'The switch', 'manual');
  await choose(dialog, 'The old index', 'keepCurrent');
  await dialog.getByLabel('Time to decide').fill('7d');
  await dialog.getByLabel('Shadow').fill('50');
  await dialog.getByLabel(/^Watch the searches/).check();
  await dialog.getByLabel('Rolls back above empty answers').fill('0');
  await dialog.getByLabel('Watched for').fill('2d');
  await unfold(dialog, 'Limits and conflicts');
  await dialog.getByLabel('Objects that may fail').fill('few');
  await press(dialog, 'Start the reindex');
  await dialog.getByText('Enter a number above 0 and at most 100.').waitFor();
  await dialog.getByText('Enter a number, a percentage such as 1%, or “no limit”.').waitFor();
  await expectGoodLooks(page, 'reindex');
  await dialog.getByLabel('Rolls back above empty answers').fill('12.5');
  await dialog.getByLabel('Objects that may fail').fill('5%');
  await press(dialog, 'Start the reindex');
  await dialog.getByText('Must be at most “Deleted after”, as long as the old index is kept current.').waitFor();
  await dialog.getByLabel('Watched for').fill('2h');
  await press(dialog, 'Start the reindex');
  await page.waitForURL(/\/tasks\/./);
  await statusBecomes(page, 'waiting');
  expect(await reembed.indexes.get('news-v2')).toMatchObject({
    fullText: { language: 'english' },
    storage: 'halfvec',
  });
  await page.getByText('50% of the searches also run there').waitFor();

  await page.getByRole('button', { name: 'Approve…' }).click();
  await page.getByRole('button', { name: 'Approve the switch' }).click();
  await statusBecomes(page, 'done');
  const id = decodeURIComponent(page.url().split('/tasks/')[1] ?? '');
  const { data } = await reembed.tasks.info(id);
  expect(data.approval).toMatchObject({ deadline: expect.any(String) });
  const watchOf = async () => (await reembed.tasks.info(String(data.retireTask))).data.watch as Watch | undefined;
  await soon(async () => (await watchOf())?.rollBackIf).toEqual({
    emptyShare: 0.125,
    errorShare: 0.02,
    minSearches: 100,
  });
  await page
    .getByRole('table', { name: 'Watch' })
    .getByRole('row', { name: /^Empty answers.* 12\.5%$/ })
    .waitFor();
});

test('a search is by meaning, by words or by both, exact on request, and shows which part matched', async () => {
  const { reembed } = dashboard.system;
  await reembed.indexes.create('prose-v1', {
    ...{ model: { provider: 'words' }, fullText: { language: 'english' } },
    splitter: { chunkSize: 60, chunkOverlap: 0 },
  });
  const payload = 'A cat is a small animal that sleeps by day. The tiger of the forest hunts alone at night.';
  const items = [
    { id: 'long', payload, metadata: { year: 2020 } },
    { id: 'short', payload: 'A ferry carries cars.', metadata: { year: 2010 } },
  ];
  await reembed.tasks.upsert({ index: 'prose-v1', items }, { wait: true });
  const page = await dashboard.open('/search?left=prose-v1&mode=text&text=hunting');
  const found = page.getByRole('table', { name: 'Found in prose-v1' });
  await found.getByText('part 2 matched').first().waitFor();
  expect(await found.getByRole('row').count()).toBe(2);
  expect(await page.getByLabel(/^Exact/).isDisabled()).toBe(true);
  await page.getByLabel('How', { exact: true }).selectOption({ label: 'by both' });
  await found.getByText('words: place 1').first().waitFor();
  await page.getByLabel('How', { exact: true }).selectOption({ label: 'by meaning' });
  await page.getByLabel(/^Exact/).check();
  await page.getByText('every part compared').first().waitFor();
  await soon(() => new URL(page.url()).searchParams.get('exact')).toContain('true');

  await page.locator('summary', { hasText: 'Filter' }).click();
  const filter = page.getByLabel('Metadata filter (JSON)');
  await filter.fill('{"year": {"gte": [1]}}');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await page.locator('code', { hasText: 'year' }).waitFor();
  await expectGoodLooks(page, 'search');
  await filter.fill('');
  await page.getByLabel('Field', { exact: true }).fill('year');
  await page.getByLabel('Condition', { exact: true }).selectOption({ label: 'is below' });
  await page.getByLabel('Value').fill('2015');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  expect(await filter.inputValue()).toBe('{"year":{"lt":2015}}');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await soon(() => found.getByRole('row').allInnerTexts()).toEqual([
    expect.anything(),
    expect.stringContaining('short'),
  ]);
});

test('a link with a filter that is not text opens its search', async () => {
  await dashboard.system.reembed.indexes.create('linked-v1', { model: { provider: 'hash' } });
  const page = await dashboard.open(`/search?left=linked-v1&text=7&filter=${encodeURIComponent('{"year":2020}')}`);
  await soon(() => page.getByLabel('Metadata filter (JSON)').inputValue()).toBe('{"year":2020}');
  expect(await page.getByLabel('Search for').inputValue()).toBe('7');
  await page.getByText('Nothing found').first().waitFor();
});
