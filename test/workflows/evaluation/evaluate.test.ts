import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Embedder } from '../../../src/contract/embedder.ts';
import { ReembedError } from '../../../src/contract/errors.ts';
import type { ModelConfig } from '../../../src/contract/models.ts';
import { transaction } from '../../../src/store/database.ts';
import { dropIndex } from '../../../src/store/drop-index.ts';
import { readReport } from '../../../src/store/evaluations.ts';
import { markDeleting } from '../../../src/store/indexes.ts';
import { saveQuerySet } from '../../../src/store/query-sets.ts';
import { uniqueName } from '../../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';
import { createSlowModel } from '../support/slow-model.ts';

const RIGHT = 48;
const QUERIES = 100;

let database: TestDatabase;
let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  database = await openPostgresDatabase();
  environment = await startTemporal('dev');
});
afterAll(async () => {
  await environment?.teardown();
  await database?.close();
});

/** Two indexes with the same objects, and a set whose queries are the objects themselves. */
async function given(rig: Rig) {
  const { db } = database;
  const left = uniqueName('left');
  const right = uniqueName('right');
  await givenIndex(db, left);
  await givenIndex(db, right, { config: { model: { provider: 'hash', dimensions: RIGHT } } });
  const items = Array.from({ length: QUERIES }, (_, at) => ({ id: idOf(at), payload: textOf(at) }));
  for (const index of [left, right]) {
    expect(await rig.run('upsert', { index, items })).toMatchObject({ status: 'done' });
  }
  const querySet = uniqueName('set');
  await saveQuerySet(
    db,
    querySet,
    items.map(({ id, payload }) => ({ id, text: payload, relevant: [{ id, grade: 1 }] })),
  );
  return { left, right, querySet };
}

const idOf = (at: number) => `d${String(at).padStart(3, '0')}`;
const textOf = (at: number) => `the text of number n${at}n and w${at * 7}w`;

async function withRig(
  embedder: ((config: ModelConfig, usual: Embedder) => Embedder) | undefined,
  work: (rig: Rig) => Promise<void>,
): Promise<void> {
  const rig = await startRig({ environment, db: database.db, ...(embedder && { embedder }) });
  try {
    await work(rig);
  } finally {
    await rig.stop();
  }
}

describe('an evaluation', () => {
  test('that loses its worker continues with the queries that are left', async () => {
    const slow = createSlowModel(RIGHT);
    const first = await startRig({ environment, db: database.db, embedder: slow.embedder });
    const { taskQueue } = first;
    const input = await given(first);
    const held = slow.holdBack(/n70n/);
    const handle = await first.start('evaluate', input);
    await held.asked;
    await first.stop();
    const asked: string[] = [];
    const second = await startRig({
      environment,
      db: database.db,
      taskQueue,
      embedder: (_config, usual) => ({
        ...usual,
        embed(texts, options) {
          if (options.purpose === 'query') asked.push(...texts);
          return usual.embed(texts, options);
        },
      }),
    });
    try {
      expect(await endOf(handle)).toMatchObject({
        status: 'done',
        attempts: 1,
        progress: { done: QUERIES, total: QUERIES },
        data: { verdict: 'go', queries: QUERIES, judged: QUERIES, left: 1, right: 1, difference: 0 },
      });
    } finally {
      await second.stop();
    }
    // The two batches before the loss are stored, and not asked for again.
    expect(asked).not.toContain(textOf(0));
    expect(asked).not.toContain(textOf(63));
    expect(asked).toContain(textOf(64));
    expect(await readReport(database.db, handle.workflowId)).toMatchObject({ queries: QUERIES });
  });

  test('that is canceled ends at once and has no report', async () => {
    const slow = createSlowModel(RIGHT);
    await withRig(slow.embedder, async (rig) => {
      const input = await given(rig);
      const held = slow.holdBack(/n40n/);
      const handle = await rig.start('evaluate', input);
      await held.asked;
      await handle.signal('cancel', 'no longer needed');
      expect(await endOf(handle)).toMatchObject({ status: 'canceled', progress: { total: QUERIES } });
      expect(await readReport(rig.db, handle.workflowId)).toBeNull();
    });
  });

  test('waits while it is paused, and continues when it is resumed', async () => {
    const slow = createSlowModel(RIGHT);
    await withRig(slow.embedder, async (rig) => {
      const input = await given(rig);
      const held = slow.holdBack(/n40n/);
      const handle = await rig.start('evaluate', input);
      await held.asked;
      await handle.signal('pause');
      held.release();
      await trackerWhen(handle, ({ status }) => status === 'paused');
      expect(await readReport(rig.db, handle.workflowId)).toBeNull();
      await handle.signal('resume');
      expect(await endOf(handle)).toMatchObject({ status: 'done', data: { verdict: 'go' } });
    });
  });

  test('counts a query that the right model refuses as one that only the left side answers', async () => {
    const refusing = (config: ModelConfig, usual: Embedder): Embedder => ({
      ...usual,
      async embed(texts, options) {
        if (config.dimensions === RIGHT && options.purpose === 'query' && texts.some((text) => /n5n/.test(text))) {
          throw new ReembedError('ModelRejectedInput', 'this text is not allowed');
        }
        return usual.embed(texts, options);
      },
    });
    await withRig(refusing, async (rig) => {
      const handle = await rig.start('evaluate', await given(rig));
      expect(await endOf(handle)).toMatchObject({ status: 'done', data: { verdict: 'no-go' } });
      const report = await readReport(rig.db, handle.workflowId);
      expect(report).toMatchObject({ left: { empty: 0 }, right: { empty: 1 }, queries: QUERIES });
      expect(report?.reasons).toContainEqual(
        expect.objectContaining({ threshold: 'maxEmptyShare', verdict: 'no-go', value: 0.01 }),
      );
      expect(report?.changed[0]).toMatchObject({ id: idOf(5), change: -1, right: { results: [] } });
    });
  });

  test('ends as refused when one of its indexes is deleted meanwhile, and names it', async () => {
    const slow = createSlowModel(RIGHT);
    await withRig(slow.embedder, async (rig) => {
      const input = await given(rig);
      const held = slow.holdBack(/n40n/);
      const handle = await rig.start('evaluate', input);
      await held.asked;
      const { no } = await transaction(rig.db, (trx) => markDeleting(trx, input.left, { force: false }));
      await dropIndex(rig.db, no);
      held.release();
      const { status, errors } = await endOf(handle);
      expect([status, errors[0]?.type]).toEqual(['refused', 'IndexDeleted']);
      expect(errors[0]?.message).toContain(input.left);
    });
  });

  test('keeps the queries that it began with when its set is replaced', async () => {
    const slow = createSlowModel(RIGHT);
    await withRig(slow.embedder, async (rig) => {
      const input = await given(rig);
      const held = slow.holdBack(/n40n/);
      const handle = await rig.start('evaluate', input);
      await held.asked;
      await saveQuerySet(rig.db, input.querySet, [{ id: 'other', text: 'another query', relevant: [] }]);
      held.release();
      expect(await endOf(handle)).toMatchObject({ status: 'done', data: { queries: QUERIES, judged: QUERIES } });
    });
  });

  test('that is started a second time with its id replaces the report', async () => {
    await withRig(undefined, async (rig) => {
      const input = await given(rig);
      const taskId = uniqueName('task');
      await rig.run('evaluate', input, taskId);
      await saveQuerySet(rig.db, input.querySet, [{ id: 'other', text: 'another query', relevant: [] }]);
      await rig.run('evaluate', input, taskId);
      expect(await readReport(rig.db, taskId)).toMatchObject({ queries: 1, verdict: 'inconclusive' });
    });
  });

  test.each([
    ['an unknown query set', { querySet: 'nowhere' }, 'QuerySetNotFound', /^querySet: /],
    ['a field that does not exist', { depth: 3 }, 'InvalidInput', /depth/],
    ['contradicting thresholds', { thresholds: { minGain: -0.1, maxLoss: 0 } }, 'InvalidInput', /thresholds\.maxLoss/],
  ])('that is started by hand with %s fails at once and names the field', async (_what, change, type, message) => {
    await withRig(undefined, async (rig) => {
      const { status, attempts, errors } = await rig.run('evaluate', { ...(await given(rig)), ...change } as never);
      expect({ status, attempts, type: errors[0]?.type }).toEqual({ status: 'failed', attempts: 1, type });
      expect(errors[0]?.message).toMatch(message);
    });
  });
});
