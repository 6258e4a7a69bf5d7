import { randomUUID } from 'node:crypto';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WORKFLOW } from '../../../src/contract/names.ts';
import { KEYS, type ListedFacts, searchAttributes } from '../../../src/contract/search-attributes.ts';
import { TASKS } from '../../../src/contract/task-types.ts';
import type { Tracker } from '../../../src/contract/tasks.ts';
import { listIndexes } from '../../../src/store/indexes.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';

const long = 'x'.repeat(5_000);
const carried = {
  attempts: 1,
  createTime: '2026-01-01T00:00:00Z',
  errors: [],
  data: {},
  progress: { done: 0, total: 0, failed: 0, perSecond: 0, etaSeconds: null },
};
const done = { ...carried, status: 'done', sameAttempt: true };
const accepted = { version: 1, total: 2, staging: 'never/1' };
const upsert = { index: 'docs', items: [{ id: 'a', payload: 'text' }] };
const reindex = { source: 'docs', dest: 'docs-v2', destModel: { provider: 'hash', dimensions: 16 } };
const steer = { action: 'cancel', filter: { taskIds: ['nobody'] } };
const slice = {
  parentId: 'nobody',
  lock: randomUUID(),
  sourceNo: 1,
  destNo: 2,
  after: null,
  until: null,
  batchSize: 1,
  ratePerSecond: null,
};
const state = { locked: null, copiedTo: null, copied: true, mark: 0, ratePerSecond: null, cutOver: {} };

/** Input that no workflow may be started with, and what the answer must name. */
const refused: [type: string, args: unknown[], named: string | RegExp][] = [
  ...[
    TASKS.upsert.workflow,
    TASKS.delete.workflow,
    TASKS.reindex.workflow,
    TASKS['delete-index'].workflow,
    TASKS.steer.workflow,
  ].flatMap((type): typeof refused =>
    [[], ['text'], [{}], [[]], [7], [null]].map((args) => [type, args, /is required|must be /]),
  ),
  [TASKS.upsert.workflow, [{ ...upsert, accepted: {} }], 'accepted: is not a known field'],
  [TASKS.upsert.workflow, [{ ...upsert, accepted }], 'accepted'],
  [TASKS.upsert.workflow, [{ ...upsert, previous: done }], 'previous'],
  [TASKS.upsert.workflow, [{ ...upsert, taskId: 'another' }], 'taskId: must be the id of the workflow'],
  [TASKS['delete-index'].workflow, [{ index: 'docs', taskId: 'another' }], 'taskId: must be the id of the workflow'],
  [TASKS.upsert.workflow, [{ ...upsert, index: long }], 'index'],
  [TASKS.upsert.workflow, [{ ...upsert, maxAttempts: 'many' }], 'maxAttempts'],
  [TASKS.delete.workflow, [{ index: 'docs', ids: ['a'], previous: {} }], 'previous'],
  [TASKS.delete.workflow, [{ index: 'docs', ids: ['a'], accepted: { total: 0 } }], 'accepted'],
  [TASKS.reindex.workflow, [{ ...reindex, state: {} }], 'state'],
  [TASKS.reindex.workflow, [{ source: 'nowhere', dest: 'nor-here', state }], 'state'],
  [TASKS.reindex.workflow, [{ ...reindex, previous: { ...done, onlyFailed: true } }], 'previous'],
  [TASKS.reindex.workflow, [{ ...reindex, source: [long] }], 'source'],
  [TASKS['delete-index'].workflow, [{ index: 'docs', parentId: 'somebody' }], 'parentId'],
  [TASKS['delete-index'].workflow, [{ index: 'docs', indexNo: 1 }], 'indexNo'],
  [TASKS['delete-index'].workflow, [{ index: 'docs', mirror: {} }], 'mirror'],
  [TASKS['delete-index'].workflow, [{ index: 'docs', deleteAtMs: 0 }], 'deleteAtMs'],
  [TASKS.steer.workflow, [{ ...steer, by: 'somebody else' }], 'by'],
  [TASKS.steer.workflow, [{ ...steer, previous: done }], 'previous'],
  [TASKS['reindex-slice'].workflow, [], 'a slice is started by its reindex'],
  [TASKS['reindex-slice'].workflow, [slice], 'a slice is started by its reindex'],
  // Arguments besides the body, which only the product itself passes.
  [TASKS.upsert.workflow, [upsert, {}], 'second argument: v'],
  [TASKS.upsert.workflow, [upsert, 'text'], 'second argument'],
  [TASKS.upsert.workflow, [upsert, { v: 2, accepted }], 'v: must be 1'],
  [TASKS.upsert.workflow, [upsert, { v: 1, accepted: {} }], 'accepted.version'],
  [TASKS.upsert.workflow, [upsert, { v: 1, accepted: { ...accepted, total: 'many' } }], 'total'],
  [TASKS.upsert.workflow, [upsert, { v: 1, previous: {} }], 'previous.attempts'],
  [TASKS.upsert.workflow, [upsert, { v: 1, previous: done }], 'previous.sameAttempt'],
  [TASKS.upsert.workflow, [upsert, { v: 1, previous: { ...carried, errors: [{}] } }], 'previous.errors.0.attempt'],
  [TASKS.upsert.workflow, [upsert, { v: 1, previous: { ...carried, steering: [7] } }], 'previous.steering.0: must be'],
  [
    TASKS.upsert.workflow,
    [upsert, { v: 1, previous: { ...carried, createTime: 'soon' } }],
    'createTime: must be a time',
  ],
  [
    TASKS.upsert.workflow,
    [upsert, { v: 1, previous: { ...carried, progress: { ...carried.progress, perSecond: 'fast' } } }],
    'previous.progress.perSecond: must be a number',
  ],
  [TASKS.upsert.workflow, [upsert, { v: 1, reindex: state }], 'reindex: is not a known field'],
  [TASKS.upsert.workflow, [upsert, { v: 1, write: { lanes: [] } }], 'write: is taken only of'],
  [TASKS.upsert.workflow, [{ index: long }, { v: 1, accepted }], 'first argument: index'],
  [TASKS.upsert.workflow, [null, { v: 1, accepted }], 'first argument'],
  [TASKS.upsert.workflow, [{ index: 'docs' }, { v: 1, accepted }], 'no longer there'],
  [TASKS.reindex.workflow, [reindex, { v: 1, reindex: state }], 'reindex: is taken only of'],
  [TASKS.reindex.workflow, [reindex, { v: 1, from: randomUUID(), reindex: state }], 'from: must be the run'],
  [TASKS['delete-index'].workflow, [{ index: 'docs' }, { v: 1, retired: { parentId: 'p' } }], 'retired.indexNo'],
  [
    TASKS['delete-index'].workflow,
    [{ index: 'docs' }, { v: 1, deletion: { deleteAtMs: 0, mirror: null } }],
    'deletion',
  ],
  [TASKS.steer.workflow, [steer, { v: 1, by: 7 }], 'by: must be'],
  [TASKS.job.workflow, [{ name: 'any' }, { v: 1, plan: {} }], 'plan.timeoutMs'],
  [TASKS.job.workflow, [{ name: 'any' }, { v: 1, turn: { kind: 'never' } }], 'turn.kind'],
  [TASKS.job.workflow, [{ name: 'any' }, { v: 1, duplicateOf: '' }], 'duplicateOf'],
];

/** Signals of activities and slices, which no person sends. */
const REPORTS = ['waits', 'hold', 'build-progress', 'step-waits', 'slice-progress'];
/** What no activity reports. */
const ODD: unknown[][] = [
  ...[[], [null], ['text'], [{}], [[]], [7, 7, 7]],
  ...['text', 7, {}, [], { reason: 7 }, { reason: 'Model' }].map((waits) => ['key', waits]),
  ...[{ type: 7, message: [] }, { phase: 'x' }, { phase: 'x', percent: null, etaSeconds: 'soon', time: 7 }].map(
    (one) => [one],
  ),
  ...[{ calls: 1 }, 'much', 7].map((usage) => ['nobody', 1, 1, usage, usage]),
];

describe('a workflow started with arbitrary input', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;

  beforeAll(async () => {
    [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
    rig = await startRig({ environment, db: database.db });
    await givenIndex(database.db, 'docs');
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });

  const start = (type: string, args: unknown[]) =>
    rig.client.workflow.start(type, { workflowId: randomUUID(), taskQueue: rig.taskQueue, args });
  const failureOf = (handle: WorkflowHandle) =>
    handle.result().then(
      () => undefined,
      (error: unknown) => (error instanceof WorkflowFailedError ? error.cause : error),
    );

  test('fails immediately, names the error, and changes nothing', async () => {
    const ended = await Promise.all(
      refused.map(async ([type, args, named]) => {
        const handle = await start(type, args);
        const failure = await failureOf(handle);
        const { status, detail, attempts } = await handle.query<Tracker>('tracker');
        return { type, args, named, failure, status, detail, attempts };
      }),
    );
    for (const { type, args, named, failure, status, detail, attempts } of ended) {
      const what = `${type} ${JSON.stringify(args).slice(0, 200)}`;
      expect([what, status, attempts]).toEqual([what, 'failed', 1]);
      expect([what, failure]).toMatchObject([what, { type: 'TaskFailed' }]);
      expect(`${what}: ${detail.replace(/: (?=\S+: )/g, '.').replace(/\s+/g, ' ')} ${detail}`).toMatch(named);
    }
    expect(await listIndexes(database.db)).toMatchObject([{ name: 'docs', state: 'active' }]);
  });

  test('fails when its id leaves no room for the ids of what it starts, and otherwise may have a long one', async () => {
    const { taskQueue, client } = rig;
    const startAs = (type: string, workflowId: string, args: unknown[]) =>
      client.workflow.start(type, { workflowId, taskQueue, args });
    const refused = await endOf(await startAs(TASKS.reindex.workflow, 'r'.repeat(201), [reindex]));
    expect(refused).toMatchObject({ status: 'failed', errors: [{ type: 'InvalidInput' }] });
    expect(refused.detail).toBe('the workflow id: must be a text of 1 to 200 characters');
    expect(await endOf(await startAs(TASKS.upsert.workflow, 'u'.repeat(901), [upsert]))).toMatchObject({
      detail: 'the workflow id: must be a text of 1 to 900 characters',
    });
    const long = await startAs(TASKS.upsert.workflow, `nightly run, ${'ü'.repeat(400)}`, [upsert]);
    expect(await endOf(long)).toMatchObject({ status: 'done', data: { written: 1 } });
  });

  test('fails with a clear message when its type does not exist', async () => {
    const failure = await failureOf(await start('nightlyUpsert', [{}]));
    expect(failure).toMatchObject({ type: 'InvalidInput', nonRetryable: true });
    expect(String((failure as Error).message)).toMatch(
      /no workflow of type nightlyUpsert: the types are auditIndex, buildIndex, changeVectorIndex, delete, /,
    );
  });

  test.each([
    [WORKFLOW.buildIndex, [[], ['text'], [0], [{}], [2 ** 40]], 'must be a whole number from 1 to 2147483647'],
    [WORKFLOW.followSource, [[], ['text'], [{}], [{ name: 7 }], [{ name: long }]], 'must be'],
  ])('fails immediately when it is %s', async (type, given, named) => {
    for (const args of given) {
      const failure = await failureOf(await start(type, args));
      expect(failure).toMatchObject({ type: 'InvalidInput', nonRetryable: true });
      expect(String((failure as Error).message)).toContain(named);
    }
  });

  test('fails when it is a lane with entries that no earlier run passed on', async () => {
    const entries = [{ taskId: 'nobody', runId: 'none', notified: true }];
    for (const given of [{ entries }, { v: 1, entries }, { v: 1, from: randomUUID(), entries }, 'text']) {
      expect(await failureOf(await start(WORKFLOW.jobLane, [{ name: 'any' }, given]))).toMatchObject({
        type: 'InvalidInput',
      });
    }
    for (const args of [[], [{ name: 7, entries: 'all' }]]) {
      expect(await failureOf(await start(WORKFLOW.jobLane, args))).toBeUndefined();
    }
  });

  test.each<ListedFacts>([{ type: 'upsert', status: 'pending' }, { type: 'steer' }, { indexes: ['another'] }])(
    'is found by its type and its index, whatever search attributes its starter gave it (%j)',
    async (given) => {
      const handle = await rig.client.workflow.start(TASKS.upsert.workflow, {
        workflowId: randomUUID(),
        taskQueue: rig.taskQueue,
        args: [upsert],
        typedSearchAttributes: searchAttributes(given),
      });
      expect(await endOf(handle)).toMatchObject({ status: 'done' });
      const { typedSearchAttributes: attributes } = await handle.describe();
      expect([attributes.get(KEYS.type), attributes.get(KEYS.status)]).toEqual(['upsert', 'done']);
      expect(attributes.get(KEYS.indexes)).toEqual(['docs']);
    },
  );

  test('ignores signals with invalid arguments', async () => {
    const handle = await start(TASKS['delete-index'].workflow, [{ index: 'docs', after: '1h' }]);
    const jobs = await start(TASKS.job.workflow, [{ name: 'any' }]);
    for (const name of [...REPORTS, 'turn', 'started', 'leave', 'throttle', 'reads', 'approve', 'pause', 'resume']) {
      for (const args of ODD) {
        await handle.signal(name, ...args);
        await jobs.signal(name, ...args);
      }
    }
    for (const one of [handle, jobs]) {
      expect(await one.query<Tracker>('tracker')).toMatchObject({
        status: expect.stringMatching(/waiting|processing/),
      });
      await one.signal('cancel');
      expect(await failureOf(one)).toMatchObject({ name: 'CancelledFailure' });
    }
  });

  test('shows a report cut to its length, so that it fits into the memo, and no other fields of it', async () => {
    const handle = await start(TASKS['delete-index'].workflow, [{ index: 'docs', after: '1h' }]);
    const much = 'y'.repeat(500_000);
    const waits = { activity: 'a', reason: 'ModelUnavailable', message: much, since: much, nextTry: null, more: much };
    await handle.signal('waits', 'key', waits);
    await handle.signal('build-progress', { phase: much, percent: null, etaSeconds: null, time: '', more: much });
    const { data } = await handle.query<Tracker>('tracker');
    expect(Object.keys(data.waitsFor as object)).toEqual(['activity', 'reason', 'message', 'since', 'nextTry']);
    expect(Object.keys(data.indexBuild as object)).toEqual(['phase', 'percent', 'etaSeconds', 'time']);
    await handle.signal('hold', { type: much, message: much });
    await handle.signal('cancel', much);
    expect(await failureOf(handle)).toMatchObject({ name: 'CancelledFailure' });
    const { memo } = await handle.describe();
    expect(JSON.stringify(memo).length).toBeLessThan(10_000);
  });

  test('as a reindex that waits for an approval, takes no report of anybody else', async () => {
    const request = { source: 'docs', dest: 'docs-v3', destModel: { provider: 'hash', dimensions: 16 } };
    await rig.run('upsert', { index: 'docs', items: [{ id: 'a', payload: 'text' }] });
    const handle = await start(TASKS.reindex.workflow, [{ ...request, approve: 'manual' }]);
    const before = await trackerWhen(handle, ({ data }) => data.phase === 'approval');
    for (const name of [...REPORTS, 'approve-it', 'reads']) {
      for (const args of [...ODD, ['nobody/1/1', 1_000_000, 1_000_000]]) await handle.signal(name, ...args);
    }
    const after = await handle.query<Tracker>('tracker');
    expect([after.status, after.progress]).toEqual(['waiting', before.progress]);
    expect(after.data.usage).toEqual(before.data.usage);
    await handle.signal('approve');
    expect(await endOf(handle)).toMatchObject({
      status: 'done',
      data: { approval: { decision: { kind: 'approve' } } },
    });
  });
});
