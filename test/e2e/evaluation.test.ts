import { serve } from '@hono/node-server';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApi } from '../../src/api/app.ts';
import { createClient, type QueryInput, type ReembedClient } from '../../src/client/client.ts';
import { createModels } from '../../src/models/models.ts';
import { cli } from '../cli/support.ts';
import { uniqueName } from '../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { type Rig, silentLog, startRig, startTemporal } from '../support/rig.ts';

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let rig: Rig;
let server: ReturnType<typeof serve>;
let reembed: ReembedClient;
let url: string;

/** A word, and a text that means it without using it. */
const MEANINGS: [word: string, text: string][] = [
  ['sofa', 'a couch with soft cushions in the living room'],
  ['booze', 'strong alcoholic drink such as whiskey'],
  ['cinema', 'watching a film in a movie theater'],
  ['quarrel', 'an angry argument and dispute between neighbors'],
  ['cop', 'the police officer arrested a criminal'],
  ['automobile', 'the car has a powerful engine and four wheels'],
  ['physician', 'the doctor treats patients in a hospital'],
  ['vessel', 'a ship sails across the ocean'],
  ['downpour', 'heavy rain and a storm with thunder'],
  ['cash', 'money in the bank and coins in the wallet'],
  ['hound', 'the dog barks and the puppies play'],
  ['monarch', 'the king and the queen sit on the throne'],
  ['infant', 'the baby sleeps and the children cry'],
  ['teacher', 'professors at school instruct their pupils'],
  ['forest', 'tall trees and pine woods'],
  ['violin', 'an orchestra plays a symphony with cellos'],
  ['bread', 'the baker bakes loaves and cakes with flour'],
  ['snow', 'cold winter ice and frost'],
];
const QUERIES: QueryInput[] = MEANINGS.map(([text], at) => ({
  id: `q${at}`,
  text,
  relevant: [{ id: `d${at}`, grade: 1 }],
  metadata: { kind: at % 3 === 0 ? 'first' : 'second' },
}));

const HASH = { provider: 'hash', dimensions: 64 } as const;
const WORDS = { provider: 'words' } as const;

beforeAll(async () => {
  environment = await startTemporal('dev');
  database = await openPostgresDatabase();
  rig = await startRig({ environment, db: database.db });
  const app = createApi({
    db: database.db,
    client: environment.client,
    models: createModels({ env: {} }),
    taskQueue: rig.taskQueue,
    log: silentLog,
  });
  await new Promise<void>((resolve) => {
    server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve());
  });
  const { port } = server.address() as { port: number };
  url = `http://127.0.0.1:${port}`;
  reembed = createClient({ baseUrl: url });
  await indexOf('plain', HASH);
  await indexOf('meaning', WORDS);
  await reembed.querySets.save('judged', { queries: QUERIES, checkIndex: 'plain' });
  await reembed.querySets.save('unjudged', { queries: QUERIES.map(({ id, text }) => ({ id, text })) });
});

afterAll(async () => {
  server?.close();
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

async function indexOf(name: string, model: typeof HASH | typeof WORDS): Promise<string> {
  await reembed.indexes.create(name, { model });
  const items = MEANINGS.map(([, payload], at) => ({ id: `d${at}`, payload }));
  await reembed.tasks.upsert({ index: name, items }, { wait: true });
  return name;
}

async function evaluate(body: Parameters<ReembedClient['tasks']['evaluate']>[0]) {
  const tracker = await reembed.tasks.evaluate(body, { wait: true });
  expect(tracker).toMatchObject({ type: 'evaluate', status: 'done' });
  return { tracker, report: await reembed.tasks.evaluation(tracker.id) };
}

describe('an evaluation with judgments', () => {
  it('passes a better model, with its scores, their interval, and the queries that change most', async () => {
    const { tracker, report } = await evaluate({
      ...{ left: 'plain', right: 'meaning', querySet: 'judged', k: 5, breakdown: 'kind' },
    });
    expect(report).toMatchObject({ verdict: 'go', queries: 18, judged: 18, k: 5, taskId: tracker.id });
    expect(report.right.scores?.ndcg).toBeGreaterThan((report.left.scores?.ndcg ?? 1) + 0.2);
    const { ndcg } = report.differences ?? {};
    expect(ndcg?.low).toBeGreaterThan(0);
    expect(ndcg?.high).toBeGreaterThanOrEqual(ndcg?.mean ?? 2);
    expect((ndcg?.better ?? 0) + (ndcg?.equal ?? 0) + (ndcg?.worse ?? 0)).toBe(18);
    expect(report.left).toMatchObject({ index: 'plain', objects: 18, missing: { judgments: 0 }, hnsw: [] });
    expect(report.left.exact.p95Ms).toBeGreaterThan(0);
    expect(report.breakdown).toMatchObject({ field: 'kind', omitted: 0 });
    expect(report.breakdown?.groups.map(({ value, queries }) => [value, queries])).toEqual([
      ['"second"', 12],
      ['"first"', 6],
    ]);
    const [most] = report.changed;
    expect(report.changed.length).toBeLessThanOrEqual(20);
    expect(most?.right.results.find(({ grade }) => grade === 1)?.text).toBe(
      MEANINGS.find(([word]) => word === most?.text)?.[1],
    );
    expect(tracker.data).toMatchObject({ verdict: 'go', metric: 'ndcg', queries: 18, judged: 18 });
    expect(tracker.detail).toMatch(/^go: nDCG differs by \+/);
  });

  it('holds a worse model back', async () => {
    const { tracker, report } = await evaluate({ left: 'meaning', right: 'plain', querySet: 'judged', k: 5 });
    expect(report.verdict).toBe('no-go');
    expect(report.reasons).toContainEqual(expect.objectContaining({ threshold: 'maxLoss', verdict: 'no-go' }));
    expect(report.differences?.ndcg.high).toBeLessThan(0);
    expect(tracker.data.verdict).toBe('no-go');
  });

  it('finds no difference between an index and its equal, at any threshold of 0', async () => {
    const same = await indexOf(uniqueName(), HASH);
    const { report } = await evaluate({ left: 'plain', right: same, querySet: 'judged' });
    expect(report).toMatchObject({
      verdict: 'go',
      differences: { ndcg: { mean: 0, low: 0, high: 0, better: 0, equal: 18, worse: 0 } },
      agreement: { overlap: 1, displacement: 0 },
      changed: [],
    });
    expect(report.agreement.rbo).toBeCloseTo(1, 9);
  });

  it('is inconclusive with too few judged queries', async () => {
    await reembed.querySets.save('few', { queries: QUERIES.slice(0, 5) });
    const { report } = await evaluate({ left: 'plain', right: 'meaning', querySet: 'few' });
    expect(report.verdict).toBe('inconclusive');
  });

  it('has the same scores and interval when it is repeated', async () => {
    const body = { left: 'plain', right: 'meaning', querySet: 'judged' };
    const [first, second] = [(await evaluate(body)).report, (await evaluate(body)).report];
    expect(second.differences).toEqual(first.differences);
    expect(second.agreement).toEqual(first.agreement);
    expect(second.changed).toEqual(first.changed);
  });
});

describe('an evaluation without judgments', () => {
  it('compares the results, and decides only by thresholds of their likeness', async () => {
    const body = { left: 'plain', right: 'meaning', querySet: 'unjudged' };
    const { report } = await evaluate(body);
    expect(report).toMatchObject({ verdict: 'inconclusive', judged: 0, differences: null });
    expect(report.left.scores).toBeNull();
    expect(report.agreement.overlap).toBeGreaterThan(0);
    expect(report.changed.length).toBeGreaterThan(0);
    const { overlap } = report.agreement;
    expect((await evaluate({ ...body, thresholds: { minOverlap: overlap - 0.01 } })).report.verdict).toBe('go');
    expect((await evaluate({ ...body, thresholds: { minOverlap: overlap + 0.01 } })).report.verdict).toBe('no-go');
  });
});

describe('bad input of an evaluation', () => {
  const usual = { left: 'plain', right: 'meaning', querySet: 'judged' };
  it.each([
    ['an unknown query set', { querySet: 'nowhere' }, 'QuerySetNotFound', 'querySet'],
    ['an unknown left index', { left: 'nowhere' }, 'IndexNotFound', 'left'],
    ['an unknown right index', { right: 'nowhere' }, 'IndexNotFound', 'right'],
    ['the same index twice', { right: 'plain' }, 'InvalidInput', 'right'],
    ['contradicting thresholds', { thresholds: { minGain: -0.1, maxLoss: 0 } }, 'InvalidInput', 'thresholds.maxLoss'],
    ['a threshold above 1', { thresholds: { minNdcg: 2 } }, 'InvalidInput', 'thresholds.minNdcg'],
    ['an unknown threshold', { thresholds: { minPrecision: 1 } }, 'InvalidInput', 'thresholds.minPrecision'],
    [
      'a threshold that needs judgments',
      { querySet: 'unjudged', thresholds: { minRecall: 0.5 } },
      'InvalidInput',
      'thresholds.minRecall',
    ],
    ['a breakdown by an unknown field', { breakdown: 'lang' }, 'InvalidInput', 'breakdown'],
    ['too many places', { k: 101 }, 'InvalidInput', 'k'],
    ['a bad ef_search', { efSearch: [0] }, 'InvalidInput', 'efSearch.0'],
  ])('%s is refused by field before anything starts', async (_what, change, type, field) => {
    const taskId = uniqueName('task');
    const refused = reembed.tasks.evaluate({ ...usual, ...change, taskId } as never);
    await expect(refused).rejects.toMatchObject({ type, issues: [{ path: field }] });
    await expect(reembed.tasks.info(taskId)).rejects.toMatchObject({ type: 'TaskNotFound' });
  });

  it('judgments for objects that either side lacks are refused above the allowed share, and listed below it', async () => {
    const right = await indexOf(uniqueName(), HASH);
    await reembed.tasks.delete({ index: right, ids: ['d0', 'd1', 'd2'] }, { wait: true });
    const body = { left: 'plain', right, querySet: 'judged' };
    await expect(reembed.tasks.evaluate(body)).rejects.toMatchObject({
      type: 'InvalidInput',
      issues: [{ path: 'querySet', message: expect.stringMatching(/^3 judgments \(16.7 %\) .*"d0"/) }],
    });
    const { report } = await evaluate({ ...body, maxMissing: 0.2 });
    expect(report.left.missing.judgments).toBe(0);
    expect(report.right.missing).toMatchObject({
      judgments: 3,
      examples: [{ id: 'd0' }, { id: 'd1' }, { id: 'd2' }],
    });
  });

  it('a task without an evaluation has no report', async () => {
    const { id } = await reembed.tasks.upsert({ index: 'plain', items: [{ id: 'd0', payload: MEANINGS[0]?.[1] }] });
    await expect(reembed.tasks.evaluation(id)).rejects.toMatchObject({ type: 'EvaluationNotFound' });
    await expect(reembed.tasks.evaluation('nowhere')).rejects.toMatchObject({ type: 'TaskNotFound' });
  });
});

describe('reembed evaluate', () => {
  const command = (...args: string[]) => cli([...args, '--url', url]);

  it('prints a readable report and exits with 0 for go, 1 for no-go and 3 for inconclusive', async () => {
    const go = await command('evaluate', 'plain', 'meaning', 'judged', '--by', 'kind');
    expect(go.code, go.err).toBe(0);
    expect(go.out).toContain('go: meaning against plain, 18 queries of judged, 18 of them judged');
    for (const part of ['nDCG', 'MRR', 'BETTER', 'overlap', 'KIND', 'the queries that change most', 'no HNSW index']) {
      expect(go.out).toContain(part);
    }
    expect(go.out).toMatch(/^second +12 /m);
    expect((await command('evaluate', 'meaning', 'plain', 'judged')).code).toBe(1);
    expect((await command('evaluate', 'plain', 'meaning', 'unjudged')).code).toBe(3);
    expect((await command('evaluate', 'plain', 'meaning', 'nowhere')).code).toBe(1);
    expect((await command('evaluate', 'plain', 'meaning', 'judged', '--min-ndcg', '2')).code).toBe(2);
  });

  it('prints the report alone as JSON, also later by the id of the task', async () => {
    const taskId = uniqueName('task');
    const ran = await command('evaluate', 'meaning', 'plain', 'judged', '--task-id', taskId, '--json');
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.out)).toMatchObject({ taskId, verdict: 'no-go' });
    const shown = await command('evaluation', taskId, '--json');
    expect(shown).toMatchObject({ code: 1, out: ran.out });
  });
});
