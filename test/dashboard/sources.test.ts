import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { resolveIndex } from '../../src/store/indexes.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { givenIndex } from '../support/rig.ts';
import { bothViolations } from './support/axe.ts';
import { type Dashboard, openDashboard, soon, statusBecomes } from './support/dashboard.ts';
import { misfits } from './support/widths.ts';

vi.setConfig({ testTimeout: 240_000 });
const opened: Dashboard | undefined = await openDashboard();
const test = it.skipIf(!opened);
const dashboard = opened as Dashboard;

beforeAll(async () => {
  if (!opened) return;
  const { db } = opened.system.database;
  await givenIndex(db, 'articles-v1', { alias: 'articles' });
  await givenIndex(db, 'docs-v1', { alias: 'docs' });
  await sql`create table articles (id int primary key, title text, body text, lang text)`.execute(db);
  await sql`insert into articles values (1, 'Lions', 'They sleep.', 'en'), (2, 'Trains', 'They leave.', 'en')`.execute(
    db,
  );
  const items = ['a lion sleeps', 'a train leaves'].map((payload, at) => ({ id: `o${at}`, payload }));
  await opened.system.reembed.tasks.upsert({ index: 'docs', items }, { wait: true });
});
afterAll(() => opened?.close());

test('a source is added after its problems were shown by field, and its SQL', async () => {
  const page = await dashboard.open('/sources', { complaints: /status of 400/ });
  await page.getByText('No sources yet').waitFor();
  await page.getByRole('button', { name: 'Add a source…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('articles');
  await dialog.getByRole('combobox', { name: 'Index' }).fill('articles');
  await dialog.getByLabel('Table').fill('articles');
  await dialog.getByLabel('Columns', { exact: true }).fill('title, bodi');
  await dialog.getByLabel('Metadata').fill('lang');
  await dialog.getByRole('button', { name: 'Check and show the SQL' }).click();
  await dialog.getByText('the table has no column bodi').waitFor();
  expect(await dashboard.system.reembed.sources.list()).toEqual([]);
  await dialog.getByLabel('Columns', { exact: true }).fill('title, body');
  await dialog.getByRole('button', { name: 'Check and show the SQL' }).click();
  await dialog.getByLabel('the SQL').getByText('create trigger').first().waitFor();
  expect(await dashboard.system.reembed.sources.list()).toEqual([]);
  expect(await bothViolations(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Add the source' }).click();
  await page.getByRole('heading', { name: 'Source articles' }).waitFor();
  await page.getByText('following', { exact: true }).waitFor();
  await page.getByRole('table', { name: 'Syncs' }).getByText('done').waitFor();
  const { objects } = await dashboard.system.reembed.objects.page('articles');
  expect(objects.map(({ payload }) => payload)).toEqual(['Lions\n\nThey sleep.', 'Trains\n\nThey leave.']);
  // It would keep asking for the source after that is removed.
  await page.context().close();
});

test('a source is stopped and started, and synced by a task', async () => {
  const page = await dashboard.open('/sources');
  await page.getByRole('link', { name: 'articles' }).first().click();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('stopped', { exact: true }).waitFor();
  const sync = page.getByRole('button', { name: 'Sync now' });
  await soon(() => sync.getAttribute('aria-disabled')).toBe('true');
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByText('following', { exact: true }).waitFor();
  await sync.click();
  await statusBecomes(page, 'done');
});

test('sources and the pages of audits fit every usual width, and axe finds nothing', async () => {
  for (const [address, loaded] of [
    ['/sources', 'public.articles'],
    ['/sources/articles', 'recorded by triggers'],
    ['/audits', 'looks for what is broken'],
  ] as const) {
    const page = await dashboard.open(address);
    await page.getByText(loaded).filter({ visible: true }).first().waitFor();
    expect([address, await misfits(page)]).toEqual([address, []]);
    expect([address, await bothViolations(page)]).toEqual([address, []]);
    await page.context().close();
  }
});

test('a source is removed only after its name was typed, and the index keeps its objects', async () => {
  const page = await dashboard.open('/sources/articles', { complaints: /status of 404/ });
  await page.getByRole('button', { name: 'Remove…' }).click();
  const dialog = page.getByRole('dialog');
  const confirm = dialog.getByRole('button', { name: 'Remove the source' });
  expect(await confirm.isDisabled()).toBe(true);
  await dialog.getByLabel('Type articles to confirm').fill('articles');
  await confirm.click();
  await page.getByText('No sources yet').waitFor();
  expect(await dashboard.system.reembed.sources.list()).toEqual([]);
  expect((await dashboard.system.reembed.objects.page('articles')).objects).toHaveLength(2);
});

test('an audit says what is broken and what that means, and a repair mends it', async () => {
  const { db } = dashboard.system.database;
  const { no } = await resolveIndex(db, 'docs');
  await sql`delete from ${tablesOf(no).parts} where object_id = 'o1'`.execute(db);
  const page = await dashboard.open('/audits');
  await page.getByRole('button', { name: 'New audit…' }).click();
  await page.getByRole('dialog').getByRole('combobox', { name: 'Index' }).fill('docs');
  await page.getByRole('button', { name: 'Start the audit' }).click();
  await statusBecomes(page, 'done');
  const kinds = page.getByRole('table', { name: 'Findings by kind' });
  await kinds.getByText('the object has no parts: searches do not find it').waitFor();
  await page.getByRole('table', { name: 'Failed items' }).getByRole('link', { name: 'o1' }).waitFor();
  await page.getByRole('button', { name: 'Repair…' }).click();
  await page.getByRole('button', { name: 'Audit and repair' }).click();
  await page.getByText('1 broken, 1 repaired, 0 left').waitFor();
  expect((await dashboard.system.reembed.search('docs', { text: 'train', limit: 2 })).hits).toHaveLength(2);
  await page.getByRole('link', { name: 'Audits' }).click();
  await soon(() => page.getByRole('table', { name: 'Audits' }).locator('tbody tr').count()).toBe(2);
});
