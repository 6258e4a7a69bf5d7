import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { QUERY, SIGNAL } from '../../../src/contract/names.ts';
import type { Tracker } from '../../../src/contract/tasks.ts';
import { listAliases } from '../../../src/store/aliases.ts';
import { findIndex } from '../../../src/store/indexes.ts';
import { listFailed } from '../../../src/store/staging.ts';
import { setBudget } from '../../../src/store/usage.ts';
import type { BatchJob, BatchServer, BatchServerOptions } from '../../support/batch-server.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';
import {
  type BatchReindexOptions,
  batchesOf,
  COUNT,
  givenBatchReindex,
  NAME,
  textsSent,
  usual,
  wrongIn as wrongTexts,
} from '../support/batch-reindex.ts';

/** One dollar per token; the server counts one per text. */
const PRICES = { [`openai/${NAME}`]: 1_000_000 };

describe('a reindex in batches of the provider', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;
  const servers: BatchServer[] = [];

  beforeAll(async () => {
    [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
    rig = await startRig({
      environment,
      db: database.db,
      settings: { maxConcurrentReindexes: 100, modelPrices: PRICES, batchApiTexts: 10 },
    });
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });

  async function begin(options: BatchReindexOptions = {}) {
    const { start, ...given } = await givenBatchReindex(database.db, rig, options);
    servers.push(given.server);
    const handle = await start();
    return { ...given, handle, taskId: handle.workflowId };
  }

  const usageOf = ({ data }: Tracker) => data.usage as { tokens: number; usd: number; calls: number };
  /** Nothing but the calls that try the model out had the usual price. */
  const expectHalf = ({ embedded }: BatchServer, tracker: Tracker) => {
    expect(embedded.filter((text) => usual.includes(text))).toEqual([]);
    const { usd } = usageOf(tracker);
    expect(usd).toBeGreaterThanOrEqual(COUNT / 2);
    expect(usd).toBeLessThanOrEqual(COUNT / 2 + embedded.length);
    expect(embedded.length).toBeLessThan(COUNT / 2);
  };
  const aliasOf = async (alias: string) => (await listAliases(database.db)).find((row) => row.alias === alias)?.index;

  const wrongIn = (dest: string, texts: readonly string[], of?: string[]) => wrongTexts(database.db, dest, texts, of);
  const storedAnswers = async (taskId: string) => {
    const { rows } = await sql<{ texts: number }>`
      select count(*) as texts from reembed.batch_texts where task_id = ${taskId}`.execute(database.db);
    return rows[0]?.texts;
  };

  test('each text is sent once, in files of a bounded number of texts, and costs half', async () => {
    const { server, dest, alias, handle, taskId } = await begin({ looks: 2 });
    const tracker = await endOf(handle);
    expect(tracker).toMatchObject({ status: 'done', data: { copied: COUNT, failed: 0 } });
    expect(server.jobs.map(({ requests }) => requests.length).sort()).toEqual([10, 10, 5].sort());
    expect(textsSent(server).sort()).toEqual([...usual].sort());
    expect(await wrongIn(dest, usual)).toEqual([]);
    expect(await aliasOf(alias)).toBe(dest);
    expectHalf(server, tracker);
    expect(batchesOf(tracker)).toMatchObject({
      open: 0,
      jobs: 3,
      texts: COUNT,
      answered: COUNT,
      refused: 0,
      unknown: 0,
    });
    expect(await storedAnswers(taskId)).toBe(0);
    expect(server.files.size).toBe(0);
  });

  test('the HNSW index is built between two batches at the point of a split, and grows with the rest', async () => {
    const { server, dest, handle } = await begin({ indexBuild: 'split' });
    const tracker = await endOf(handle);
    expect(tracker).toMatchObject({
      ...{ status: 'done', attempts: 1 },
      data: { copied: COUNT, verified: { recall: 1 }, indexStrategy: { asked: 'split', chosen: 'split', share: 0.5 } },
    });
    const { events } = await handle.fetchHistory();
    const steps = events?.map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name) ?? [];
    expect(steps.filter((name) => name === 'collectBatch')).toHaveLength(3);
    expect(steps.indexOf('buildVectorIndex')).toBeGreaterThan(steps.indexOf('collectBatch'));
    expect(steps.indexOf('buildVectorIndex')).toBeLessThan(steps.lastIndexOf('collectBatch'));
    expectHalf(server, tracker);
    expect(await wrongIn(dest, usual)).toEqual([]);
  });

  test('what a batch leaves without an answer is sent again, and nothing else', async () => {
    const seen = new Set<string>();
    const outcomeOf = (text: string) => {
      const isFirst = !seen.has(text);
      seen.add(text);
      return isFirst && Number(text.slice(5)) % 3 === 0 ? 'expire' : 'answer';
    };
    const { server, dest, handle } = await begin({ outcomeOf });
    const tracker = await endOf(handle);
    const late = usual.filter((_, at) => at % 3 === 0);
    expect(tracker).toMatchObject({ status: 'done', data: { copied: COUNT, failed: 0 } });
    expect(textsSent(server).sort()).toEqual([...usual, ...late].sort());
    expect(batchesOf(tracker)).toMatchObject({ texts: COUNT, answered: COUNT });
    expectHalf(server, tracker);
    expect(await wrongIn(dest, usual)).toEqual([]);
  });

  test('batches that expire without an answer twice pause the reindex, and resume sends them again', async () => {
    let isUp = false;
    const { server, handle } = await begin({ outcomeOf: () => (isUp ? 'answer' : 'expire') });
    const { errors } = await trackerWhen(handle, ({ status }) => status === 'paused');
    expect(errors[0]).toMatchObject({ type: 'ModelUnavailable', message: expect.stringContaining('expired') });
    isUp = true;
    await resumeUntilEnd(handle);
    expect(await handle.query(QUERY.tracker)).toMatchObject({ status: 'done', data: { copied: COUNT } });
    expect(server.jobs.length).toBeGreaterThan(3);
  });

  test('a text that the model refuses fails its object alone, with its stage and reason', async () => {
    const payload = (at: number) => (at === 7 ? 'poison' : `text ${at}`);
    const outcomeOf = (text: string) => (text === 'poison' ? { status: 400 } : 'answer');
    const { dest, handle, taskId } = await begin({ payload, outcomeOf, maxFailed: 1 });
    const tracker = await endOf(handle);
    expect(tracker).toMatchObject({ status: 'done', data: { copied: COUNT - 1, failed: 1 } });
    expect(batchesOf(tracker)).toMatchObject({ answered: COUNT - 1, refused: 1 });
    const failed = await listFailed(database.db, taskId, { after: null, limit: 10 });
    expect(failed).toMatchObject([{ objectId: 'k07', stage: 'embed', reason: 'ModelRejectedInput' }]);
    expect(
      await wrongIn(
        dest,
        usual.filter((text) => text !== 'text 7'),
      ),
    ).toEqual([]);
  });

  test('a text that the model has cut is split again in usual calls, until all of it is read', async () => {
    const window = 100;
    const long = Array.from({ length: 240 }, (_, at) => `word${at}`).join(' ');
    const payload = (at: number) => (at === 7 ? long : `text ${at}`);
    const tokens = (text: string) => Math.min(window, text.split(' ').length);
    const { server, dest, handle } = await begin({ payload, tokens });
    const tracker = await endOf(handle);
    // The text in a usual call, and both of its halves.
    expect(tracker).toMatchObject({ status: 'done', data: { copied: COUNT, failed: 0, usage: { truncated: 3 } } });
    expect(batchesOf(tracker)).toMatchObject({ answered: COUNT - 1, refused: 1 });
    const read = server.embedded
      .filter((text) => text.split(' ').length <= window)
      .join(' ')
      .split(' ');
    expect(long.split(' ').filter((word) => !read.includes(word))).toEqual([]);
    expect(await wrongIn(dest, usual.toSpliced(7, 1))).toEqual([]);
    // The answers of the batches are paid for, that of the cut text too, and the usual calls; the last two texts, which are asked
    // before the switch, come after the last look.
    const [inBatches, inCalls] = [textsSent(server), server.embedded.slice(0, -2)].map((texts) =>
      texts.reduce((sum, text) => sum + tokens(text), 0),
    );
    expect(usageOf(tracker).tokens).toBe(Number(inBatches) + Number(inCalls));
  });

  test('an answer that comes twice is paid for once, and one to nothing that was sent is counted and ignored', async () => {
    const renamed = new Set<string>();
    const outcomeOf = (text: string) => {
      if (text === 'text 3') return 'twice';
      if (text !== 'text 4' || renamed.has(text)) return 'answer';
      renamed.add(text);
      return 'rename';
    };
    const { server, dest, handle } = await begin({ outcomeOf });
    const tracker = await endOf(handle);
    expect(tracker).toMatchObject({ status: 'done', data: { copied: COUNT } });
    expect(batchesOf(tracker)).toMatchObject({ answered: COUNT, unknown: 1 });
    expectHalf(server, tracker);
    expect(textsSent(server).filter((text) => text === 'text 4')).toHaveLength(2);
    expect(await wrongIn(dest, usual)).toEqual([]);
  });

  test('a job whose creation was not answered is found by its name and not paid for twice', async () => {
    let dropped = 0;
    const fail = (method: string, path: string) =>
      method === 'POST' && path === '/v1/batches' && dropped++ < 2 ? ('drop' as const) : undefined;
    const { server, handle } = await begin({ fail });
    expect(await endOf(handle)).toMatchObject({ status: 'done', data: { copied: COUNT } });
    expect(textsSent(server).sort()).toEqual([...usual].sort());
    expect(dropped).toBeGreaterThanOrEqual(3);
  });

  test('a job for which the account has no room waits until the others have ended', async () => {
    const refuse = (job: BatchJob, jobs: readonly BatchJob[]) => {
      const isFirst = jobs.every((other) => other === job || ['completed', 'failed'].includes(other.status));
      return isFirst ? undefined : { code: 'token_limit_exceeded', message: 'Enqueued token limit reached' };
    };
    const { server, dest, handle } = await begin({ refuse });
    const tracker = await endOf(handle);
    expect(tracker).toMatchObject({ status: 'done', data: { copied: COUNT }, errors: [] });
    expect(server.jobs.some(({ status }) => status === 'failed')).toBe(true);
    expectHalf(server, tracker);
    expect(await wrongIn(dest, usual)).toEqual([]);
  });

  test.each<[string, Partial<BatchServerOptions>, string]>([
    [
      'a job that fails its validation',
      { refuse: () => ({ code: 'model_not_found', message: 'The model does not exist' }) },
      'ModelRejectedInput',
    ],
    [
      'a used up quota',
      { fail: () => ({ status: 429, body: { error: { code: 'insufficient_quota', message: 'exceeded' } } }) },
      'ModelQuotaUsedUp',
    ],
    [
      'an endpoint without batches',
      { fail: (_method, path) => (path.includes('/batches') ? { status: 404, body: {} } : undefined) },
      'ModelNotFound',
    ],
  ])('%s pauses the reindex with its reason', async (_title, options, type) => {
    let isPaused = true;
    const begun = await begin({
      refuse: (job, jobs) => (isPaused ? options.refuse?.(job, jobs) : undefined),
      fail: (method, path) => (isPaused && !path.includes('/embeddings') ? options.fail?.(method, path) : undefined),
    });
    const { errors } = await trackerWhen(begun.handle, ({ status }) => status === 'paused');
    expect(errors[0]).toMatchObject({ type });
    isPaused = false;
    await resumeUntilEnd(begun.handle);
    expect(await begun.handle.query(QUERY.tracker)).toMatchObject({ status: 'done', data: { copied: COUNT } });
    expect(await wrongIn(begun.dest, usual)).toEqual([]);
  });

  test('a cancel cancels the jobs at the provider and keeps the old index', async () => {
    const { server, source, alias, handle, taskId } = await begin({ looks: Number.POSITIVE_INFINITY });
    await trackerWhen(handle, (tracker) => batchesOf(tracker)?.open === 3);
    await handle.signal(SIGNAL.cancel);
    expect(await endOf(handle)).toMatchObject({ status: 'canceled' });
    expect(server.jobs.map(({ status }) => status)).toEqual(['cancelling', 'cancelling', 'cancelling']);
    expect(await aliasOf(alias)).toBe(source);
    expect(await storedAnswers(taskId)).toBe(0);
  });

  test('a budget in dollars counts batches at half the price, and is not exceeded by texts that wait', async () => {
    const { server, handle, taskId } = await begin({ budget: { usd: 9 } });
    const { errors } = await trackerWhen(handle, ({ status }) => status === 'paused');
    expect(errors[0]).toMatchObject({ type: 'BudgetUsedUp' });
    expect(textsSent(server).length / 2).toBeLessThanOrEqual(9);
    expect(textsSent(server).length).toBeGreaterThan(9);
    await setBudget(database.db, taskId, { usd: null });
    await resumeUntilEnd(handle);
    expect(await handle.query(QUERY.tracker)).toMatchObject({ status: 'done', data: { copied: COUNT } });
  });

  test('a write during the wait is embedded at once, and a late answer does not replace it', async () => {
    const { server, dest, alias, handle } = await begin({ looks: Number.POSITIVE_INFINITY });
    const waiting = await trackerWhen(
      handle,
      ({ status, detail }) => status === 'waiting' && detail.includes('3 batches'),
    );
    const { until } = waiting.pace ?? {};
    const text = `waits for batches of the provider until ${until}`;
    expect(waiting.pace).toEqual({ reason: 'batches', share: null, until, text });
    expect(Date.parse(until ?? '')).toBeGreaterThan(Date.parse(waiting.createTime));
    await rig.run('upsert', { index: alias, items: [{ id: 'k00', payload: 'changed' }] });
    server.options.looks = 1;
    expect(await endOf(handle)).toMatchObject({ status: 'done' });
    expect(await wrongIn(dest, ['changed'], ['k00'])).toEqual([]);
    expect(await wrongIn(dest, usual)).toEqual(['text 0']);
    expect(textsSent(server)).not.toContain('changed');
  });

  test('a reindex of a provider without batches is refused before it starts', async () => {
    await givenIndex(database.db, 'plain', { alias: 'plain-alias' });
    const tracker = await rig.run('reindex', {
      ...{ source: 'plain-alias', dest: 'plain-v2', batchApi: true },
      destModel: { provider: 'words', name: 'glove-100d-30k', dimensions: 100 },
    });
    expect(tracker).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('batchApi: the provider words'),
    });
    expect(await findIndex(database.db, 'plain-v2')).toBeUndefined();
  });
});

/** Resumes a reindex each time that it pauses. */
async function resumeUntilEnd(handle: WorkflowHandle): Promise<void> {
  await handle.signal(SIGNAL.resume);
  for (;;) {
    const { status } = await trackerWhen(handle, (tracker) => tracker.status === 'paused' || isEnd(tracker.status));
    if (status !== 'paused') return;
    await handle.signal(SIGNAL.resume);
  }
}

const isEnd = (status: string) => ['done', 'failed', 'canceled', 'exhausted', 'refused'].includes(status);
