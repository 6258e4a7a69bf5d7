import { afterAll, beforeEach, expect, it, vi } from 'vitest';
import { ReembedError } from '../../src/contract/errors.ts';
import { saveQuerySet } from '../../src/store/query-sets.ts';
import { givenIndex } from '../support/rig.ts';
import { createSlowModel } from '../workflows/support/slow-model.ts';
import { type Dashboard, openDashboard, soon, statusBecomes } from './support/dashboard.ts';

/** Indexes are rebuilt with this number of dimensions, by a model that waits on request. */
const DEST_DIMENSIONS = 16;
const slow = createSlowModel(DEST_DIMENSIONS);
let rejected: (text: string) => boolean = () => false;

const opened: Dashboard | undefined = await openDashboard({
  embedder: (config, usual) => {
    const model = slow.embedder(config, usual);
    return {
      ...model,
      async embed(texts, options) {
        if (texts.some(rejected)) throw new ReembedError('ModelRejectedInput', 'not <b>this</b> one');
        return model.embed(texts, options);
      },
    };
  },
});
const test = it.skipIf(!opened);
vi.setConfig({ testTimeout: 120_000 });
const dashboard = opened as Dashboard;

afterAll(() => opened?.close());
beforeEach(() => {
  rejected = () => false;
});
let names = 0;

/** A serving index with some objects. */
async function given(objects = 30): Promise<{ alias: string; index: string; next: string }> {
  const alias = `docs${++names}`;
  await givenIndex(dashboard.system.database.db, `${alias}-v1`, { alias });
  const items = Array.from({ length: objects }, (_, at) => ({ id: `k${at}`, payload: `text ${at}.` }));
  if (objects > 0) await dashboard.system.reembed.tasks.upsert({ index: alias, items }, { wait: true });
  return { alias, index: `${alias}-v1`, next: `${alias}-v2` };
}

/** For the page: the accessible name of the focused element. */
const LABEL_OF_FOCUSED = `(() => {
  const element = document.activeElement;
  const label = element.id && document.querySelector('label[for="' + element.id + '"]');
  return (label || element).textContent.trim();
})()`;

async function startReindex(alias: string) {
  const page = await dashboard.open('/indexes');
  await page.getByRole('button', { name: 'Reindex…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Rebuild', { exact: true }).selectOption(alias);
  await dialog.getByLabel('Model', { exact: true }).selectOption('hash');
  await dialog.getByLabel('Dimensions').fill(String(DEST_DIMENSIONS));
  await dialog.getByRole('button', { name: 'Start the reindex' }).click();
  await page.waitForURL(/\/tasks\/./);
  return page;
}

test('a plan is shown before a reindex starts, and only while it fits the form', async () => {
  const { alias, next } = await given();
  const page = await dashboard.open('/indexes');
  await page.getByRole('button', { name: 'Reindex…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Rebuild', { exact: true }).selectOption(alias);
  await dialog.getByLabel('Model', { exact: true }).selectOption('words');
  await dialog.getByRole('button', { name: 'Plan it first' }).click();
  const plan = dialog.getByRole('table', { name: 'Plan' });
  await plan.getByRole('row', { name: /^texts 30 exact/ }).waitFor();
  await plan.getByRole('row', { name: /^price \$0\.00 exact/ }).waitFor();
  const names = (await dashboard.system.reembed.indexes.list()).map(({ name }) => name);
  expect(names).not.toContain(next);

  await dialog.getByLabel('Into the new index').fill(`${alias}-v3`);
  await plan.waitFor({ state: 'detached' });
  await dialog.getByRole('button', { name: 'Plan it first' }).click();
  await plan.waitFor();
});

test('a reindex is started by a form, watched, canceled, restarted, and switches the alias', async () => {
  const { alias, next } = await given();
  const held = slow.holdBack(/^text \d/);
  const page = await startReindex(alias);
  await held.asked;
  await statusBecomes(page, 'processing');
  await page.locator('li[aria-current=step]').getByText('Copy').waitFor();
  await page.getByText('0 of 30').first().waitFor();

  await page.getByRole('button', { name: 'Cancel…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('not today');
  await dialog.getByRole('button', { name: 'Cancel the task' }).click();
  await statusBecomes(page, 'canceled');
  await page.getByRole('table', { name: 'Steering' }).getByText('cancel: not today').waitFor();
  expect(await dashboard.system.reembed.aliases.list()).toContainEqual({ alias, index: `${alias}-v1` });

  held.release();
  await page.getByRole('button', { name: 'Restart', exact: true }).click();
  // The page is not reloaded.
  await statusBecomes(page, 'done');
  await page.getByText(`${next} is complete and serves as ${alias}`).waitFor();
  expect(await page.locator('.phases li', { hasText: 'done' }).count()).toBe(7);

  await page.getByRole('link', { name: 'Indexes' }).click();
  await page.locator(`[data-index="${next}"]`).getByText(alias, { exact: true }).waitFor();
  await page.locator(`[data-alias="${alias}"]`).getByRole('link', { name: next }).waitFor();
});

test('a reindex waits for an approval with the verdict of a query set, and switches when it is approved', async () => {
  const { alias, index, next } = await given();
  const { reembed } = dashboard.system;
  const queries = Array.from({ length: 3 }, (_, at) => ({
    id: `q${at}`,
    text: `text ${at}.`,
    relevant: [{ id: `k${at}`, grade: 1 }],
  }));
  await saveQuerySet(dashboard.system.database.db, `${alias}-set`, queries);
  const { id } = await reembed.tasks.reindex({
    source: alias,
    dest: next,
    destModel: { provider: 'hash', dimensions: DEST_DIMENSIONS },
    approve: { querySet: `${alias}-set` },
  });
  const page = await dashboard.open(`/tasks/${id}`);
  await statusBecomes(page, 'waiting');
  await page.locator('li[aria-current=step]').getByText('Approve').waitFor();
  await page.locator('.phases li', { hasText: 'Evaluate' }).getByText('inconclusive').waitFor();
  expect(await reembed.aliases.list()).toContainEqual({ alias, index });
  await page.getByRole('link', { name: 'Open the report' }).click();
  await page.getByTestId('verdict').getByText('inconclusive', { exact: true }).waitFor();
  await page.getByTestId('verdict').getByRole('link', { name: next }).waitFor();
  await page.getByRole('link', { name: 'Back to the task' }).click();
  await page.getByRole('button', { name: 'Approve…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('better on our queries');
  await dialog.getByRole('button', { name: 'Approve the switch' }).click();
  await statusBecomes(page, 'done');
  await page.locator('.phases li', { hasText: 'Approve' }).getByText('approved').waitFor();
  await page.getByRole('table', { name: 'Steering' }).getByText('approve: better on our queries').waitFor();
  expect(await reembed.aliases.list()).toContainEqual({ alias, index: next });
});

test('a reindex is rolled back and forward by clicking, which shows what was written since', async () => {
  const { alias, index, next } = await given();
  const { reembed } = dashboard.system;
  const { id } = await reembed.tasks.reindex(
    {
      source: alias,
      dest: next,
      destModel: { provider: 'hash', dimensions: DEST_DIMENSIONS },
      retire: { after: '1h', keepCurrent: true },
    },
    { wait: true },
  );
  await reembed.tasks.upsert({ index: alias, items: [{ id: 'new', payload: 'written since' }] }, { wait: true });
  const page = await dashboard.open(`/tasks/${id}`);
  await page.getByRole('button', { name: 'Roll back…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('1 objects').waitFor();
  await dialog.getByRole('link', { name: index }).waitFor();
  await dialog.getByRole('link', { name: next }).waitFor();
  await dialog.getByLabel('Reason').fill('worse answers');
  await dialog.getByRole('button', { name: 'Roll back', exact: true }).click();
  await page.getByRole('button', { name: 'Roll forward…' }).waitFor();
  expect(await reembed.aliases.list()).toContainEqual({ alias, index });

  await page.getByRole('button', { name: 'Roll forward…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Roll forward', exact: true }).click();
  await page.getByRole('button', { name: 'Roll back…' }).waitFor();
  expect(await reembed.aliases.list()).toContainEqual({ alias, index: next });
  await page.goto(`${new URL(page.url()).origin}/tasks/${encodeURIComponent(`${id}/retire/1`)}`);
  await page.getByText(`rolled back from ${index} to ${next}`).waitFor();
});

test('a running reindex is throttled, paused and resumed', async () => {
  const { alias } = await given();
  const held = slow.holdBack(/^text \d/);
  const page = await startReindex(alias);
  await held.asked;
  await page.getByRole('button', { name: 'Throttle…' }).click();
  await page.getByRole('dialog').getByLabel('Objects per second').fill('1000');
  await page.getByRole('button', { name: 'Set the rate' }).click();
  await page
    .getByRole('table', { name: 'Steering' })
    .getByText(/^throttle/)
    .waitFor();
  await page.getByRole('button', { name: 'Throttle…' }).click();
  const again = page.getByRole('dialog');
  await again.getByText('The limit is 1,000/s').waitFor();
  await again.getByRole('button', { name: 'Cancel' }).click();
  await again.waitFor({ state: 'detached' });
  expect(await page.getByText(/^throttle/).count()).toBe(1);
  await page.getByRole('button', { name: 'Pause' }).click();
  await statusBecomes(page, 'paused');
  held.release();
  await page.getByRole('button', { name: 'Resume' }).click();
  await statusBecomes(page, 'done');
});

test('failed items are shown with their reason, as text, and retried alone', async () => {
  const { alias, index } = await given(0);
  rejected = (text) => /[13579]\.$/.test(text);
  const page = await dashboard.open(`/indexes/${index}`);
  await page.getByRole('button', { name: 'Add objects…' }).click();
  const lines = Array.from({ length: 10 }, (_, at) => JSON.stringify({ id: `k${at}`, payload: `text ${at}.` }));
  await page.getByLabel('Objects', { exact: true }).fill(lines.join('\n'));
  await page.getByRole('button', { name: 'Write 10 objects' }).click();
  await statusBecomes(page, 'done');
  await page.getByText('Failed items: 5').waitFor();
  const failed = page.getByRole('table', { name: 'Failed items' });
  expect(await failed.getByRole('row').count()).toBe(6);
  await failed.getByText('not <b>this</b> one').first().waitFor();
  const list = await dashboard.open(`/tasks?index=${alias}`);
  const filter = list.getByRole('button', { name: /^done with failed items ?1$/ });
  await filter.click();
  await list.getByText('1 to 1 of 1').waitFor();

  rejected = () => false;
  await page.getByRole('button', { name: 'Retry failed items' }).click();
  await failed.waitFor({ state: 'detached' });
  await list.getByText('No matching tasks').waitFor();
  await page.getByText('5 of 5').first().waitFor();
  const objects = dashboard.system.reembed.objects.list(alias);
  const stored: string[] = [];
  for await (const { id, failed: notEmbedded } of objects) if (!notEmbedded) stored.push(id);
  expect(stored).toHaveLength(10);
});

test('many tasks are canceled at once after a preview', async () => {
  const { index } = await given(1);
  const { reembed } = dashboard.system;
  const waiting = await Promise.all(
    [1, 2, 3].map((hours) =>
      reembed.tasks.deleteIndex({ index, after: `${hours}h`, taskId: `later-${hours}-${index}`, force: true }),
    ),
  );
  const page = await dashboard.open(`/tasks?status=waiting&index=${index}`);
  for (const { id } of waiting)
    await page.locator(`[data-task="${id}"]`).getByText('waiting', { exact: true }).filter({ visible: true }).waitFor();
  await page.getByLabel('Select all on this page').check();
  await page.getByRole('region', { name: 'Selected tasks' }).getByRole('button', { name: 'Cancel…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Nothing has been done yet. 3 tasks: would cancel').waitFor();
  for (const { id } of waiting) expect((await reembed.tasks.info(id)).status).toBe('waiting');

  await dialog.getByRole('button', { name: 'Cancel 3 tasks' }).click();
  await dialog.getByText('3 tasks: canceled').waitFor();
  for (const { id } of waiting) expect((await reembed.tasks.info(id)).status).toBe('canceled');
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  // The list has updated by itself.
  await page.getByText('No matching tasks').waitFor();
});

test('a list shows tasks that start and end while it is open', async () => {
  const { alias } = await given(1);
  const page = await dashboard.open(`/tasks?index=${alias}&type=upsert`);
  await page.getByText('1 to 1 of 1').waitFor();
  const { id } = await dashboard.system.reembed.tasks.upsert({
    index: alias,
    items: [{ id: 'new', payload: 'a text' }],
  });
  await page.locator(`[data-task="${id}"]`).getByText('done', { exact: true }).filter({ visible: true }).waitFor();
  await page.getByText('1 to 2 of 2').waitFor();
});

test('a reindex is started by keyboard only', async () => {
  const { alias, next } = await given(3);
  const page = await dashboard.open('/indexes');
  await page.getByRole('button', { name: 'Reindex…' }).waitFor();
  const focused = () => page.evaluate<string>(LABEL_OF_FOCUSED);
  const tabTo = async (name: string) => {
    for (let steps = 0; (await focused()) !== name; steps++) {
      expect(steps, `no way to ${name} by Tab; at ${await focused()}`).toBeLessThan(60);
      await page.keyboard.press('Tab');
    }
  };
  await tabTo('Reindex…');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByLabel('Rebuild', { exact: true }).waitFor();
  await tabTo('Rebuild');
  await page.keyboard.type(alias);
  await soon(() => page.getByLabel('Rebuild', { exact: true }).inputValue()).toBe(alias);
  await tabTo('Start the reindex');
  await page.keyboard.press('Enter');
  await statusBecomes(page, 'done');
  await page.getByText(`${next} is complete and serves as ${alias}`).waitFor();
});

test('two indexes are searched side by side, and payloads are shown as text', async () => {
  const { alias, index } = await given(5);
  const payload = `<img src=x onerror="document.title='run'"> lion`;
  await dashboard.system.reembed.tasks.upsert({ index: alias, items: [{ id: 'html', payload }] }, { wait: true });
  const next = `${alias}-v2`;
  await dashboard.system.reembed.tasks.reindex(
    { source: alias, dest: next, destModel: { provider: 'words' } },
    { wait: true },
  );
  const page = await dashboard.open(`/search?left=${index}&right=${alias}`);
  await page.getByLabel('Search for').fill('lion');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  for (const name of [index, next]) {
    await page
      .getByRole('table', { name: `Found in ${name}` })
      .getByText(payload)
      .waitFor();
  }
  await page
    .getByText(/of 6 also found by the other/)
    .first()
    .waitFor();
  expect(await page.title()).toBe('Search · reembed');
});
