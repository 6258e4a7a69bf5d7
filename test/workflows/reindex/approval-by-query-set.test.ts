import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listAliases } from '../../../src/store/aliases.ts';
import { readReport } from '../../../src/store/evaluations.ts';
import { listLocks } from '../../../src/store/protocol/locks.ts';
import { deleteQuerySet, saveQuerySet } from '../../../src/store/query-sets.ts';
import { uniqueName } from '../../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';

/** The quality of the hash model grows with its dimensions; those of the source are `DIMENSIONS`. */
const [WORSE, DIMENSIONS, BETTER] = [2, 3, 64];
const OBJECTS = 60;

let database: TestDatabase;
let environment: TestWorkflowEnvironment;
let rig: Rig;
beforeAll(async () => {
  [database, environment] = await Promise.all([openPostgresDatabase(), startTemporal('dev')]);
  rig = await startRig({ environment, db: database.db });
});
afterAll(async () => {
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

const WORDS = ['lion', 'table', 'river', 'engine', 'cloud', 'paper', 'garden', 'violin'];
const textOf = (at: number) => `${WORDS[at % 8]} ${WORDS[(at >> 3) % 8]} ${WORDS[(at * 5) % 8]} number n${at}n`;

/** A source whose objects are the answers to the queries of a set, and a reindex with a model of these dimensions. */
async function start(
  dimensions: number,
  change: { onGo?: 'wait'; onNoGo?: 'wait'; queries?: number; ratePerSecond?: number } = {},
) {
  const { db } = database;
  const [source, dest, alias, querySet] = ['source', 'dest', 'alias', 'set'].map(uniqueName) as string[];
  await givenIndex(db, source as string, {
    alias: alias as string,
    config: { model: { provider: 'hash', dimensions: DIMENSIONS } },
  });
  const items = Array.from({ length: OBJECTS }, (_, at) => ({ id: `d${at}`, payload: textOf(at) }));
  expect(await rig.run('upsert', { index: source as string, items })).toMatchObject({ status: 'done' });
  const { queries = OBJECTS, ratePerSecond, ...approve } = change;
  const chosen = items.slice(0, queries);
  await saveQuerySet(
    db,
    querySet as string,
    chosen.map(({ id, payload }) => ({ id, text: payload.replace(/^\w+/, ''), relevant: [{ id, grade: 1 }] })),
  );
  const handle = await rig.start('reindex', {
    source: alias,
    dest,
    destModel: { provider: 'hash', name: 'hash-v1', dimensions },
    ...(ratePerSecond && { ratePerSecond, batchSize: 10 }),
    approve: { querySet, onReject: 'keep', ...approve },
  } as never);
  const servingAs = async () => (await listAliases(db)).find((row) => row.alias === alias)?.index;
  return { handle, source, dest, alias: alias as string, querySet: querySet as string, servingAs };
}

const waitsForPerson = ({ status, data }: { status: string; data: Record<string, unknown> }) =>
  status === 'waiting' && data.phase === 'approval';

describe('a reindex whose approval has a query set', () => {
  test('switches by itself if the new model is better', async () => {
    const { handle, source, dest, querySet, servingAs } = await start(BETTER);
    const done = await endOf(handle);
    expect(done).toMatchObject({
      status: 'done',
      progress: { done: OBJECTS, total: OBJECTS, failed: 0 },
      data: {
        approval: {
          decision: { kind: 'approve', by: null, isVerdict: true, isTimeout: false },
          evaluation: { querySet, verdict: 'go' },
        },
      },
    });
    expect(await servingAs()).toBe(dest);
    const report = await readReport(database.db, handle.workflowId);
    expect(report).toMatchObject({ verdict: 'go', left: { index: source }, right: { index: dest } });
    expect(report?.right.scores?.ndcg).toBeGreaterThan(report?.left.scores?.ndcg as number);
  });

  test('is held back if the new model is worse, and says why', async () => {
    const { handle, source, dest, querySet, servingAs } = await start(WORSE);
    const ended = await endOf(handle);
    expect(ended).toMatchObject({
      status: 'refused',
      errors: [{ type: 'rejected' }],
      data: { approval: { decision: { kind: 'reject', isVerdict: true }, evaluation: { verdict: 'no-go' } } },
    });
    expect(ended.detail).toMatch(`the switch to ${dest} was rejected: the query set ${querySet} says no-go: `);
    expect(await servingAs()).toBe(source);
    expect(await listLocks(database.db)).toEqual([]);
  });

  test('leaves a no-go to a person if asked, who may overrule it', async () => {
    const { handle, source, dest, servingAs } = await start(WORSE, { onNoGo: 'wait' });
    const waiting = await trackerWhen(handle, waitsForPerson);
    expect(waiting.detail).toContain('says no-go');
    expect(waiting.data.approval).toMatchObject({ decision: null, evaluation: { verdict: 'no-go' } });
    expect(await servingAs()).toBe(source);
    await handle.signal('approve', 'smaller vectors are worth it', 'ann');
    expect(await endOf(handle)).toMatchObject({
      status: 'done',
      data: { approval: { decision: { kind: 'approve', by: 'ann', isVerdict: false } } },
    });
    expect(await servingAs()).toBe(dest);
  });

  test('leaves a go to a person if asked', async () => {
    const { handle, source, dest, servingAs } = await start(BETTER, { onGo: 'wait' });
    const waiting = await trackerWhen(handle, waitsForPerson);
    expect(waiting.data.approval).toMatchObject({ decision: null, evaluation: { verdict: 'go' } });
    expect(await servingAs()).toBe(source);
    await handle.signal('approve', null, 'ann');
    expect(await endOf(handle)).toMatchObject({ status: 'done' });
    expect(await servingAs()).toBe(dest);
  });

  test('leaves an inconclusive result to a person, who may reject', async () => {
    const { handle, source, servingAs } = await start(BETTER, { queries: 3 });
    const waiting = await trackerWhen(handle, waitsForPerson);
    expect(waiting.data.approval).toMatchObject({ decision: null, evaluation: { verdict: 'inconclusive' } });
    await handle.signal('reject', 'too few queries', 'ben');
    expect(await endOf(handle)).toMatchObject({ status: 'refused' });
    expect(await servingAs()).toBe(source);
  });

  test('leaves the decision to a person if the set is gone when it is needed', async () => {
    const { handle, querySet, dest, servingAs } = await start(BETTER, { ratePerSecond: 20 });
    await trackerWhen(handle, ({ data }) => data.phase === 'copy');
    await handle.signal('pause');
    await trackerWhen(handle, ({ status }) => status === 'paused');
    await deleteQuerySet(database.db, querySet);
    await handle.signal('resume');
    const waiting = await trackerWhen(handle, waitsForPerson);
    expect(waiting.data.approval).toMatchObject({
      decision: null,
      evaluation: { verdict: 'inconclusive', why: expect.stringMatching(/^the evaluation failed: .*no query set/) },
    });
    await handle.signal('approve');
    expect(await endOf(handle)).toMatchObject({ status: 'done' });
    expect(await servingAs()).toBe(dest);
  });

  test('is refused before anything starts if there is no such set', async () => {
    const { source, dest } = { source: uniqueName('source'), dest: uniqueName('dest') };
    await givenIndex(database.db, source);
    const handle = await rig.start('reindex', {
      source,
      dest,
      destModel: { provider: 'hash', name: 'hash-v1', dimensions: 4 },
      approve: { querySet: 'nothing' },
    } as never);
    expect(await endOf(handle)).toMatchObject({ status: 'failed', errors: [{ type: 'QuerySetNotFound' }] });
  });
});
