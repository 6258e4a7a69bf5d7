import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { approvalOf, approveSchema } from '../../../src/contract/approval.ts';
import type { Budget } from '../../../src/contract/budget.ts';
import { listAliases } from '../../../src/store/aliases.ts';
import { saveQuerySet } from '../../../src/store/query-sets.ts';
import { call, testApi } from '../../api/support.ts';
import { type Call, type Day, DIMENSIONS, type Provider, startProvider } from '../../providers/provider.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';

const COUNT = 30;
/** The provider counts one token per text; an object has one text. */
const counting: Day = (one: Call) => one.embed();
const silent: Day = (one: Call) => one.send(200, { data: one.items() });
const DAILY = 'daily-model';
const PRICED = 'priced-model';
/** One dollar per token. */
const PRICES = { [`openai/${PRICED}`]: 1_000_000 };

describe('a reindex with a budget', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let provider: Provider;
  let rig: Rig;
  let names = 0;

  beforeAll(async () => {
    [environment, database, provider] = await Promise.all([
      startTemporal('dev'),
      openPostgresDatabase(),
      startProvider(),
    ]);
    rig = await startRig({
      environment,
      db: database.db,
      settings: {
        maxConcurrentReindexes: 100,
        modelPrices: PRICES,
        modelBudgets: { [`openai/${DAILY}`]: { tokens: 12 } },
      },
    });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await provider?.close();
    await database?.close();
  });

  interface Given {
    day?: Day;
    model?: string;
    approve?: { querySet: string; thresholds: { minOverlap: number } };
  }

  async function begin(budget: Budget | undefined, { day = counting, model, approve }: Given = {}) {
    const no = ++names;
    const [source, dest, alias] = [`source-${no}`, `dest-${no}`, `alias-${no}`];
    const name = model ?? dest;
    const use = provider.use(name, day);
    await givenIndex(database.db, source, { alias });
    const items = Array.from({ length: COUNT }, (_, at) => ({ id: `k${at}`, payload: `text ${at}` }));
    await rig.run('upsert', { index: alias, items });
    const handle = await rig.start('reindex', {
      ...{ source: alias, dest, batchSize: 5, concurrency: 1, budget },
      approve: approve && approveSchema.parse(approve),
      destModel: {
        ...{ provider: 'openai', name, dimensions: DIMENSIONS, baseUrl: use.baseUrl, sendDimensions: false },
        ...{ batchSize: 128, batchChars: 200_000, timeoutMs: 60_000 },
      },
    });
    return { source, dest, alias, use, handle };
  }

  const paused = (handle: WorkflowHandle, times = 1) =>
    trackerWhen(handle, ({ status, errors }) => status === 'paused' && errors.length === times);
  const aliasOf = async (alias: string) => (await listAliases(database.db)).find((row) => row.alias === alias)?.index;
  const setBudget = (taskId: string, limits: string) => {
    const api = testApi(database.db, { client: rig.client, settings: { modelPrices: PRICES } });
    return call(api, 'PUT', `/v1/tasks/reindex/budget?taskId=${taskId}&${limits}`);
  };
  const tokensOf = ({ calls }: { calls: { texts: string[] }[] }) => calls.flatMap(({ texts }) => texts).length;

  test.each<[string, Budget, string, RegExp, string | undefined]>([
    ['tokens', { tokens: 12 }, 'tokens=1000', /\d+ of 12 tokens/, undefined],
    ['calls', { calls: 4 }, 'calls=none', /\d+ of 4 calls/, undefined],
    ['dollars', { usd: 12 }, 'usd=1000', /\$\d+ of \$12/, PRICED],
  ])('pauses when its %s are used up, and continues with a higher one', async (_what, budget, raise, said, model) => {
    const { source, dest, alias, use, handle } = await begin(budget, { model });
    const tracker = await paused(handle);
    expect(tracker).toMatchObject({ attempts: 1, errors: [{ type: 'BudgetUsedUp' }] });
    expect(tracker.detail).toMatch(said);
    expect(tracker.detail).toContain(`reembed tasks budget ${handle.workflowId}`);
    const calls = use.calls.length;
    const late = await rig.run('upsert', { index: alias, items: [{ id: 'late', payload: 'a late text' }] });
    expect(late).toMatchObject({ status: 'done', data: { written: 1 } });
    expect(await aliasOf(alias)).toBe(source);

    await handle.signal('resume');
    await paused(handle, 2);
    expect(use.calls.length).toBe(calls);

    expect(await setBudget(handle.workflowId, raise)).toMatchObject({ status: 200 });
    const done = await endOf(handle);
    expect(done).toMatchObject({ status: 'done', attempts: 1, data: { verified: { dest: COUNT + 1, failed: 0 } } });
    expect(await aliasOf(alias)).toBe(dest);
  });

  test('shows what its model has used, as the provider counts it', async () => {
    const { use, handle } = await begin({ tokens: 1_000 });
    const { data } = await endOf(handle);
    // The two texts that are asked before the switch come after the last look.
    const [calls, tokens] = [use.calls.length - 2, tokensOf(use) - 2];
    expect(data.usage).toEqual({ calls, tokens, estimatedTokens: 0, usd: null, reused: 0, budget: { tokens: 1_000 } });
  });

  test('counts the queries of its evaluation, and pauses there too', async () => {
    const queries = Array.from({ length: 100 }, (_, at) => ({ id: `q${at}`, text: `query ${at}`, relevant: [] }));
    await saveQuerySet(database.db, 'evaluated', queries);
    const approve = { querySet: 'evaluated', thresholds: { minOverlap: 0 } };
    const { alias, dest, use, handle } = await begin({ tokens: COUNT + 20 }, { approve });
    const tracker = await paused(handle);
    expect(tracker).toMatchObject({ errors: [{ type: 'BudgetUsedUp' }], data: { phase: 'evaluation' } });
    expect(await setBudget(handle.workflowId, 'tokens=1000')).toMatchObject({ status: 200 });
    const { status, data } = await endOf(handle);
    expect({ status, verdict: approvalOf(data)?.evaluation?.verdict }).toEqual({
      status: 'done',
      verdict: 'go',
    });
    expect((data.usage as { tokens: number }).tokens).toBe(tokensOf(use) - 2);
    expect(tokensOf(use)).toBeGreaterThan(COUNT + queries.length);
    expect(await aliasOf(alias)).toBe(dest);
  });

  test('estimates what the provider does not count, and says so', async () => {
    const { handle } = await begin(undefined, { day: silent });
    const { data } = await endOf(handle);
    const { tokens, estimatedTokens } = data.usage as { tokens: number; estimatedTokens: number };
    expect(tokens).toBeGreaterThan(COUNT);
    expect(estimatedTokens).toBe(tokens);
  });

  test('counts the forwards of live writes', async () => {
    const { alias, use, handle } = await begin({ tokens: 12 });
    await paused(handle);
    await setBudget(handle.workflowId, 'tokens=13');
    await paused(handle, 2);
    const before = tokensOf(use);
    expect(before).toBeGreaterThanOrEqual(13);
    await rig.run('upsert', { index: alias, items: [{ id: 'late', payload: 'a late text' }] });
    // Forwards stop too: the write is stored, and left to the reindex.
    expect(tokensOf(use)).toBe(before);
    await handle.signal('cancel');
    await endOf(handle);
  });

  test('pauses when the budget of its model for the day is used up', async () => {
    const { source, alias, handle } = await begin(undefined, { model: DAILY });
    const { detail } = await paused(handle);
    expect(detail).toMatch(/the budget of openai\/daily-model for today \(UTC\) is used up: \d+ of 12 tokens/);
    expect(await aliasOf(alias)).toBe(source);
    await handle.signal('cancel');
    expect(await endOf(handle)).toMatchObject({ status: 'canceled' });
  });

  test('in dollars is refused if the price of its model is unknown, and names the field', async () => {
    const { handle } = await begin({ usd: 5 });
    expect(await endOf(handle)).toMatchObject({
      status: 'failed',
      errors: [{ type: 'InvalidInput', message: expect.stringContaining('budget.usd: the price of openai/dest-') }],
    });
    const body = { source: 'source-1', dest: 'new', destModel: { provider: 'openai', name: 'x', dimensions: 4 } };
    const api = testApi(database.db, { client: rig.client });
    expect(await call(api, 'POST', '/v1/tasks/reindex/run', { ...body, budget: { usd: 5 } })).toMatchObject({
      status: 400,
      body: { issues: [{ path: 'budget.usd' }] },
    });
    for (const budget of [{ usd: 0 }, { tokens: -1 }, { calls: 1.5 }, {}]) {
      expect(await call(api, 'POST', '/v1/tasks/reindex/run', { ...body, budget })).toMatchObject({
        status: 400,
        body: { issues: [{ path: expect.stringMatching(/^budget/) }] },
      });
    }
  });

  test('refuses a change of it that names no limit, or dollars without a price', async () => {
    const { handle } = await begin({ tokens: 12 });
    await paused(handle);
    for (const limits of ['', 'usd=5', 'tokens=0', 'calls=x']) {
      expect(await setBudget(handle.workflowId, limits)).toMatchObject({ status: 400 });
    }
    await handle.signal('cancel');
    await endOf(handle);
    expect(await setBudget(handle.workflowId, 'tokens=100')).toMatchObject({ status: 409 });
  });
});
