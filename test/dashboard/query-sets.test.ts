import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { givenIndex } from '../support/rig.ts';
import { bothViolations } from './support/axe.ts';
import { type Dashboard, openDashboard, soon, statusBecomes } from './support/dashboard.ts';
import { misfits } from './support/widths.ts';

vi.setConfig({ testTimeout: 240_000 });
const opened: Dashboard | undefined = await openDashboard();
const test = it.skipIf(!opened);
const dashboard = opened as Dashboard;
/** Reading a set that is deleted is how the page learns that it is. */
const complaints = /status of 4\d\d/;

beforeAll(async () => {
  if (!opened) return;
  const { database, reembed } = opened.system;
  for (const name of ['docs-v1', 'docs-v2']) {
    await givenIndex(database.db, name, name === 'docs-v1' ? { alias: 'docs' } : {});
    const items = Array.from({ length: 12 }, (_, at) => ({ id: `o${at}`, payload: `The lion number ${at} sleeps.` }));
    await reembed.tasks.upsert({ index: name, items }, { wait: true });
  }
});
afterAll(() => opened?.close());

test('a newcomer makes a query set from an index, looks at its queries, and compares two indexes by it', async () => {
  const page = await dashboard.open('/query-sets');
  await page.getByText('No query sets yet').waitFor();
  await page.getByRole('button', { name: 'New query set…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Create the query set' }).click();
  await soon(() => dialog.getByLabel('Name').getAttribute('aria-invalid')).toBe('true');
  await dialog.getByLabel('Name').fill('known');
  await dialog.getByRole('combobox', { name: 'Index' }).fill('docs');
  await dialog.getByRole('button', { name: 'Create the query set' }).click();
  await page.getByRole('heading', { name: 'Query set known' }).waitFor();
  const queries = page.getByRole('table', { name: 'Queries' });
  await queries.getByText('The lion number 3 sleeps').waitFor();
  await queries.getByTitle('o3', { exact: true }).waitFor();
  expect(await misfits(page)).toEqual([]);
  expect(await bothViolations(page)).toEqual([]);
  await page.getByRole('button', { name: 'Compare two indexes…' }).click();
  await dialog.getByRole('combobox', { name: 'Serves now' }).fill('docs');
  await dialog.getByRole('button', { name: 'Compare', exact: true }).click();
  await soon(() => dialog.getByRole('combobox', { name: 'May replace it' }).getAttribute('aria-invalid')).toBe('true');
  await dialog.getByRole('combobox', { name: 'May replace it' }).fill('docs-v2');
  await dialog.getByRole('button', { name: 'Compare', exact: true }).click();
  await statusBecomes(page, 'done');
  await page.getByRole('link', { name: 'Open the report' }).waitFor();
});

test('queries that are typed are checked by line, and a set is deleted only after its name is typed', async () => {
  const page = await dashboard.open('/query-sets', { complaints });
  await page.getByRole('button', { name: 'New query set…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('typed');
  await dialog.getByLabel('Made from').selectOption('given');
  const queries = dialog.getByLabel('Queries', { exact: true });
  await queries.fill('big cat\n{"text": "small cat", "relevant": [{"id": "o1"');
  await dialog.getByText('line 2 is not valid JSON').waitFor();
  await queries.fill('big cat\n{"text": "small cat", "relevant": [{"id": "o1"}, {"id": "o1"}]}');
  await dialog.getByRole('button', { name: 'Create the query set' }).click();
  await dialog.getByText('query 2').waitFor();
  expect(await bothViolations(page)).toEqual([]);
  await queries.fill('big cat\n{"text": "small cat", "relevant": [{"id": "o1"}]}');
  await dialog.getByRole('button', { name: 'Create the query set' }).click();
  const table = page.getByRole('table', { name: 'Queries' });
  await table.getByRole('row').filter({ hasText: 'big cat' }).getByText('not judged').waitFor();
  await table.getByRole('row').filter({ hasText: 'small cat' }).getByTitle('o1', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Delete…' }).click();
  const remove = dialog.getByRole('button', { name: 'Delete the query set' });
  expect(await remove.isDisabled()).toBe(true);
  await dialog.getByLabel('Type typed to confirm').fill('typed');
  await remove.click();
  await page.getByRole('heading', { name: 'Query sets' }).waitFor();
  await soon(() => page.locator('[data-query-set="typed"]').count()).toBe(0);
});

test('searches of users are kept by a share, become a query set, and are deleted on request', async () => {
  const page = await dashboard.open('/query-sets');
  await page.getByRole('button', { name: 'Change what docs keeps' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Share of the searches').fill('');
  await dialog.getByRole('button', { name: 'Set the share' }).click();
  await dialog.getByText('Enter a number from 0 to 100.').waitFor();
  await dialog.getByLabel('Share of the searches').fill('100');
  await dialog.getByRole('button', { name: 'Set the share' }).click();
  const row = page.locator('[data-sampling="docs"]');
  await row.getByText('100% for 7d').waitFor();
  // The API learns of the share a moment later.
  await soon(async () => {
    await dashboard.system.reembed.search('docs', { text: 'which lion sleeps' });
    return (await dashboard.system.reembed.sampling.get('docs')).searches;
  }).toBeGreaterThan(0);
  expect(await misfits(page)).toEqual([]);
  await page.getByRole('button', { name: 'New query set…' }).click();
  await dialog.getByLabel('Name').fill('asked');
  await dialog.getByLabel('Made from').selectOption('sampled');
  await dialog.getByRole('combobox', { name: 'Alias' }).fill('docs');
  await dialog.getByRole('button', { name: 'Create the query set' }).click();
  await page.getByRole('table', { name: 'Queries' }).getByText('which lion sleeps').waitFor();
  await page.goBack();
  await page.getByRole('button', { name: 'Change what docs keeps' }).click();
  await dialog.getByLabel('Keep no further ones').check();
  await dialog.getByRole('button', { name: 'Delete the searches' }).click();
  await soon(async () => (await dashboard.system.reembed.sampling.get('docs')).searches).toBe(0);
});
