import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { givenIndex } from '../support/rig.ts';
import { bothViolations } from './support/axe.ts';
import { type Dashboard, openDashboard, soon } from './support/dashboard.ts';
import { misfits } from './support/widths.ts';

vi.setConfig({ testTimeout: 240_000 });
const opened: Dashboard | undefined = await openDashboard();
const test = it.skipIf(!opened);
const dashboard = opened as Dashboard;

/** Longer than any column, with characters that mean something in an address, from right to left. */
const LONG_ID = `אריה/50% & co? #${'ארוך '.repeat(60)}`.trim();
const LONG_TEXT = `${'word '.repeat(5_000)}the end`;
/** Reading an object that is gone is how the page learns that it is. */
const complaints = /status of 404/;

const addressOf = (id: string) => `/indexes/docs-v1/object?id=${encodeURIComponent(JSON.stringify(id))}`;

const payloadOf = (page: Page) => page.getByRole('region', { name: 'the payload', exact: true });

beforeAll(async () => {
  if (!opened) return;
  await givenIndex(opened.system.database.db, 'docs-v1', { alias: 'docs' });
  const items = [
    { id: 'lion', payload: 'a lion sleeps', metadata: { lang: 'en' } },
    { id: 'gone', payload: 'a text that is deleted' },
    { id: 'json', payload: { title: 'a title', body: LONG_TEXT } },
    { id: LONG_ID, payload: 'האריה ישן' },
    { id: '007', payload: 'an id of digits' },
  ];
  await opened.system.reembed.tasks.upsert({ index: 'docs', items }, { wait: true });
});
afterAll(() => opened?.close());

test('an object is found by its whole id, whatever its characters', async () => {
  const page = await dashboard.open('/indexes/docs-v1');
  for (const [id, content] of [
    ['007', 'an id of digits'],
    [LONG_ID, 'האריה ישן'],
  ] as const) {
    await page.getByRole('textbox', { name: 'Id of an object' }).fill(id);
    await page.getByRole('button', { name: 'Open' }).click();
    await payloadOf(page).getByText(content).waitFor();
    expect(await misfits(page)).toEqual([]);
    await page.goBack();
  }
});

test('a long id takes two lines of the list and is set in the direction of its script', async () => {
  const page = await dashboard.open('/indexes/docs-v1');
  const id = page.getByRole('table', { name: 'Objects' }).locator('bdi', { hasText: 'אריה/50%' });
  await id.waitFor();
  const box = await id.boundingBox();
  expect(box?.height).toBeLessThan(60);
  expect(await id.getAttribute('title')).toBe(LONG_ID);
  const isRtl = `[...document.querySelectorAll('bdi')].some((one) => getComputedStyle(one).direction === 'rtl')`;
  expect(await page.evaluate(isRtl)).toBe(true);
});

test('a payload is read to its end, as text', async () => {
  const page = await dashboard.open(addressOf('json'));
  const payload = payloadOf(page);
  await payload.waitFor();
  expect(await payload.innerText()).not.toContain('the end');
  await page.getByRole('button', { name: /^Show the other/ }).click();
  await soon(() => payload.innerText()).toContain('the end');
  await page.getByRole('button', { name: 'Copy the payload' }).waitFor();
});

test('an object is edited, and its history shows both versions with their tasks', async () => {
  const page = await dashboard.open(addressOf('lion'));
  await page.getByRole('button', { name: 'Edit…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Metadata (JSON)').fill('{"lang"');
  await dialog.getByRole('button', { name: 'Write the object' }).click();
  await dialog.getByText('must be JSON').waitFor();
  await dialog.getByLabel('Metadata (JSON)').fill('{"lang": "fr"}');
  await dialog.getByLabel('Payload', { exact: true }).fill('');
  await dialog.getByLabel('Payload', { exact: true }).fill('un lion dort');
  await dialog.getByRole('button', { name: 'Write the object' }).click();
  await payloadOf(page).getByText('un lion dort').waitFor();
  const events = page.getByRole('list', { name: 'History' }).getByRole('listitem');
  await soon(() => events.count()).toBe(2);
  const stored = await dashboard.system.reembed.objects.get('docs', 'lion');
  expect(stored).toMatchObject({ payload: 'un lion dort', metadata: { lang: 'fr' } });
  await events.first().getByRole('link').click();
  await page.getByTestId('status').getByText('done', { exact: true }).waitFor();
});

test('an edit does not overwrite what someone else has written since the form was opened', async () => {
  const { reembed } = dashboard.system;
  await reembed.tasks.upsert({ index: 'docs', items: [{ id: 'shared', payload: 'first' }] }, { wait: true });
  const page = await dashboard.open(addressOf('shared'));
  await page.getByRole('button', { name: 'Edit…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Payload', { exact: true }).fill('mine');
  await reembed.tasks.upsert({ index: 'docs', items: [{ id: 'shared', payload: 'theirs' }] }, { wait: true });
  await dialog.getByRole('button', { name: 'Write the object' }).click();
  await dialog.getByText('It was changed since this form was opened').waitFor();
  expect((await reembed.objects.get('docs', 'shared')).payload).toBe('theirs');
});

test('an object is deleted after a confirmation, and its history stays readable', async () => {
  const page = await dashboard.open(addressOf('gone'), { complaints });
  await page.getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('button', { name: 'Keep it' }).click();
  expect((await dashboard.system.reembed.objects.get('docs', 'gone')).payload).toBe('a text that is deleted');
  await page.getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('button', { name: 'Delete the object' }).click();
  await page.getByText('docs-v1 has no object with this id').waitFor();
  await page.getByRole('list', { name: 'History' }).getByText('Deleted').waitFor();
  await expect(dashboard.system.reembed.objects.get('docs', 'gone')).rejects.toMatchObject({ type: 'ObjectNotFound' });
});

test('objects similar to one lead to their pages', async () => {
  const page = await dashboard.open(addressOf('007'));
  await page.getByRole('button', { name: 'Find similar' }).click();
  const similar = page.getByRole('table', { name: 'Similar objects' });
  await similar.waitFor();
  expect(await bothViolations(page)).toEqual([]);
  await similar.getByRole('link', { name: 'json' }).click();
  await payloadOf(page).getByText('"body"').waitFor();
});
