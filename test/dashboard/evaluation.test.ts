import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { scoreText, signedText } from '../../src/contract/evaluation-texts.ts';
import { seededRandom } from '../../src/evaluation/random.ts';
import { saveQuerySet } from '../../src/store/query-sets.ts';
import { buildVectorIndex } from '../../src/store/vector-index.ts';
import { givenIndex } from '../support/rig.ts';
import { type Dashboard, openDashboard, statusBecomes } from './support/dashboard.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const opened: Dashboard | undefined = await openDashboard();
const dashboard = opened as Dashboard;

const PHONE = { width: 390, height: 844 };
/** What a page that takes it for markup would run. */
const MARKUP = '<img src="x" onerror="document.title=`run`">';
const WORDS =
  'apple bridge candle desert engine forest guitar harbor island jacket kettle ladder market needle orange'.split(' ');

beforeAll(async () => {
  if (!opened) return;
  const { database, reembed } = opened.system;
  const random = seededRandom(5);
  const some = (count: number) => Array.from({ length: count }, () => WORDS[Math.floor(random() * WORDS.length)]);
  const texts = Array.from({ length: 60 }, (_, at) => some(5).join(' ') + (at === 0 ? MARKUP : ''));
  const items = texts.map((payload, at) => ({ id: `o${at}`, payload }));
  for (const [name, dimensions] of [
    ['poor', 4],
    ['good', 256],
  ] as const) {
    const index = await givenIndex(database.db, name, { config: { model: { provider: 'hash', dimensions } } });
    await reembed.tasks.upsert({ index: name, items }, { wait: true });
    await buildVectorIndex(database.db, index, { memoryMb: 64 });
  }
  // No more than a report shows.
  const queries = texts.slice(0, 20).map((text, at) => ({
    id: `q${at}`,
    text: `${at === 0 ? MARKUP : ''} ${text.split(' ').slice(0, 4).join(' ')}`,
    relevant: [{ id: `o${at}`, grade: 1 }],
    metadata: { lang: at % 4 === 0 ? 'de' : 'en' },
  }));
  await saveQuerySet(database.db, 'questions', queries);
});
afterAll(() => opened?.close());

describe.skipIf(!opened)('the report of an evaluation', () => {
  it('opens from the page of its task, and shows what the API returns', async () => {
    const { reembed } = dashboard.system;
    const task = { taskId: 'compare', left: 'poor', right: 'good', querySet: 'questions', efSearch: [100] };
    await reembed.tasks.evaluate({ ...task, breakdown: 'lang', thresholds: { minHnswRecall: 0.5 } }, { wait: true });
    const report = await reembed.tasks.evaluation('compare');
    expect(report.verdict).toBe('go');

    const page = await dashboard.open('/tasks');
    await page.getByRole('link', { name: 'evaluate good against poor, compare' }).click();
    await statusBecomes(page, 'done');
    await page.getByRole('link', { name: 'Open the report' }).click();
    await page.waitForURL('**/tasks/compare/evaluation');
    await page.getByTestId('verdict').getByText('go', { exact: true }).waitFor();
    for (const { text } of report.reasons) await page.getByLabel('Reasons').getByText(text).waitFor();

    const scores = page.getByRole('table', { name: 'Scores' });
    for (const [metric, name] of [
      ['ndcg', 'nDCG'],
      ['recall', 'recall'],
      ['mrr', 'MRR'],
    ] as const) {
      const row = await scores.getByRole('row', { name }).innerText();
      const compared = report.differences?.[metric];
      expect(row).toContain(scoreText(report.left.scores?.[metric] ?? Number.NaN));
      expect(row).toContain(scoreText(report.right.scores?.[metric] ?? Number.NaN));
      expect(row).toContain(`${signedText(compared?.low ?? 0)} to ${signedText(compared?.high ?? 0)}`);
      expect(row).toContain(`${compared?.better}, ${compared?.equal}, ${compared?.worse}`);
    }
    for (const side of ['poor', 'good']) {
      const searches = page.getByRole('table', { name: `Searches of ${side}` });
      for (const search of ['ef_search 40', 'ef_search 100', 'exact']) {
        expect(await searches.getByRole('row', { name: search }).innerText()).toMatch(/ ms/);
      }
    }
    const groups = page.getByRole('table', { name: 'By lang' });
    expect(await groups.getByRole('row').count()).toBe(3);
    await groups.getByRole('row', { name: 'en 15 queries' }).waitFor();

    await page.getByRole('link', { name: 'Back to the task' }).click();
    await page.waitForURL('**/tasks/compare');
  });

  it('shows the queries that change most side by side, with texts that are never markup', async () => {
    const { changed } = await dashboard.system.reembed.tasks.evaluation('compare');
    const page = await dashboard.open('/tasks/compare/evaluation', { size: PHONE });
    const shown = page.locator('.changed');
    await shown.first().waitFor();
    expect(await shown.count()).toBe(changed.length);
    expect(changed.map(({ id }) => id)).toContain('q0');
    for (const [at, query] of changed.entries()) {
      const entry = shown.nth(at);
      if (at > 0) await entry.locator('summary').click();
      await entry.locator('summary').getByText(query.text.trim(), { exact: true }).waitFor();
      for (const side of [query.left, query.right]) {
        for (const { id, text } of side.results.slice(0, 2)) {
          await entry.getByText(id, { exact: true }).first().waitFor();
          await entry.getByText(text, { exact: true }).first().waitFor();
        }
      }
    }
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toBe('Evaluation of compare · reembed');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
  });

  it('is missing as long as the task has none, and where the token may not read it', async () => {
    await dashboard.system.reembed.tasks.upsert(
      { taskId: 'write', index: 'good', items: [{ id: 'new', payload: 'new' }] },
      { wait: true },
    );
    const page = await dashboard.open('/tasks/write/evaluation', { complaints: /404/ });
    await page.getByText('There is no report').waitFor();
    const url = await dashboard.system.listen({ apiTokens: [{ name: 'vera', role: 'view', token: 'of-vera' }] });
    const other = await dashboard.open('/tasks/compare/evaluation', { url, complaints: /401|403/ });
    await other.getByLabel('API token').fill('of-vera');
    await other.getByRole('button', { name: 'Sign in' }).click();
    await other.getByText('Not shown to this token').waitFor();
    expect(await other.getByText('instead of').count()).toBe(0);
  });
});
