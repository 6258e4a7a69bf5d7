import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ReembedError } from '../../../src/contract/errors.ts';
import { findIndex } from '../../../src/store/indexes.ts';
import { getObject } from '../../../src/store/objects.ts';
import { listFailed } from '../../../src/store/staging.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';

const item = (id: string) => ({ id, payload: `the text of ${id}` });

describe('attempts, on a server whose clock runs ahead', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;
  let calls = 0;
  let fault: (call: number) => ReembedError | undefined = () => undefined;

  beforeAll(async () => {
    [environment, database] = await Promise.all([startTemporal('time-skipping'), openPostgresDatabase()]);
    rig = await startRig({
      environment,
      db: database.db,
      embedder: (_config, usual) => ({
        ...usual,
        async embed(texts, options) {
          const error = fault(++calls);
          if (error) throw error;
          return usual.embed(texts, options);
        },
      }),
    });
    await givenIndex(database.db, 'a');
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });
  beforeEach(() => {
    calls = 0;
    fault = () => undefined;
  });

  test('a model that never answers exhausts the attempts, ten tries each, and every error is recorded', async () => {
    fault = () => new ReembedError('ModelUnavailable', 'nobody there');
    const handle = await rig.start('upsert', { index: 'a', items: [item('x')] });
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'TaskExhausted', nonRetryable: true } });
    const tracker = await handle.query<Awaited<ReturnType<typeof endOf>>>('tracker');
    expect(tracker).toMatchObject({ status: 'exhausted', attempts: 3, maxAttempts: 3, lock: null });
    expect(tracker.errors.map(({ attempt, type, stage }) => [attempt, type, stage])).toEqual([
      [3, 'ModelUnavailable', 'writeChunk'],
      [2, 'ModelUnavailable', 'writeChunk'],
      [1, 'ModelUnavailable', 'writeChunk'],
    ]);
    // A small write is tried once within the workflow task, then ten times as an activity: each time the call is made
    // again, and the model is asked with a text that is fine.
    expect(calls).toBe(3 * (1 + 10 * 3));
  });

  test('a model that answers again before the last try leaves no failed attempt', async () => {
    fault = (call) => (call <= 8 ? new ReembedError('ModelUnavailable', 'not yet') : undefined);
    const tracker = await rig.run('upsert', { index: 'a', items: [item('late')] });
    expect(tracker).toMatchObject({ status: 'done', attempts: 1, errors: [], data: { written: 1 } });
  });

  test('a non-retryable error fails the task immediately', async () => {
    fault = () => new ReembedError('ModelUnauthorized', 'the key was refused');
    const handle = await rig.start('upsert', { index: 'a', items: [item('x')] });
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'TaskFailed' } });
    expect(calls).toBe(1);
    expect(await endOf(handle)).toMatchObject({ status: 'failed', attempts: 1, detail: 'the key was refused' });
  });

  test('restart during the back-off begins the next attempt immediately', async () => {
    fault = () => new ReembedError('ModelUnavailable', 'nobody there');
    const handle = await rig.start('upsert', { index: 'a', items: [item('restarted')] });
    await environment.sleep('3 minutes');
    const backingOff = await trackerWhen(handle, ({ status }) => status === 'failed');
    expect(backingOff).toMatchObject({ attempts: 1, detail: expect.stringContaining('attempt 1 of 3 failed') });
    fault = () => undefined;
    await handle.signal('restart');
    // The clock stands still at that time: only the signal can have started it.
    expect(await trackerWhen(handle, ({ status }) => status === 'done')).toMatchObject({ attempts: 2 });
  });

  test('cancel during the back-off ends the task as canceled', async () => {
    fault = () => new ReembedError('ModelUnavailable', 'nobody there');
    const handle = await rig.start('upsert', { index: 'a', items: [item('never')] });
    await environment.sleep('20 minutes');
    await trackerWhen(handle, ({ status }) => status === 'exhausted' || status === 'failed');
    const other = await rig.start('upsert', { index: 'a', items: [item('never')], maxAttempts: 100 });
    await environment.sleep('40 minutes');
    await trackerWhen(other, ({ status, attempts }) => status === 'failed' && attempts > 2);
    await other.signal('cancel', 'no longer wanted');
    await expect(other.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect(await endOf(other)).toMatchObject({ status: 'canceled', detail: 'canceled: no longer wanted' });
    expect((await other.describe()).status.name).toBe('CANCELLED');
  });

  test('ignore ends a task as ignored, and its workflow completes', async () => {
    fault = () => new ReembedError('ModelUnavailable', 'nobody there');
    const handle = await rig.start('upsert', { index: 'a', items: [item('broken')], maxAttempts: 100 });
    await environment.sleep('40 minutes');
    await trackerWhen(handle, ({ status }) => status === 'failed');
    await handle.signal('ignore', 'known to be broken');
    expect(await handle.result()).toMatchObject({ status: 'ignored', detail: 'known to be broken' });
  });

  test('a provider that asks to slow down consumes no try and no attempt', async () => {
    let refusals = 0;
    fault = () =>
      ++refusals <= 15 ? new ReembedError('ModelRateLimited', 'slow down', { retryAfterMs: 100 }) : undefined;
    const tracker = await rig.run('upsert', {
      index: 'a',
      items: Array.from({ length: 9 }, (_, at) => item(`r${at}`)),
    });
    expect(tracker).toMatchObject({ status: 'done', attempts: 1, errors: [], data: { written: 9 } });
  });

  test('a text that the model rejects fails alone, with its stage and reason, and can be run again', async () => {
    const handle = await rig.start('upsert', { index: 'a', items: [item('good'), { id: 'empty', payload: '  ' }] });
    const tracker = await endOf(handle);
    expect(tracker).toMatchObject({
      status: 'done',
      data: { written: 1, failed: 1 },
      progress: { done: 2, failed: 1 },
    });
    expect(await listFailed(database.db, handle.workflowId, { after: null, limit: 10 })).toMatchObject([
      { objectId: 'empty', stage: 'split', reason: 'EmptyText' },
    ]);
    const index = await findIndex(database.db, 'a');
    expect(index && (await getObject(database.db, index, 'good'))).toMatchObject({ version: tracker.version });
  });

  test('a failed item with ignoreFailedItems false fails the task, and the other items are written', async () => {
    const tracker = await rig.run('upsert', {
      index: 'a',
      items: [item('kept'), { id: 'empty', payload: '' }],
      ignoreFailedItems: false,
      maxAttempts: 1,
    });
    expect(tracker).toMatchObject({ status: 'exhausted', data: { written: 1, failed: 1 } });
    const index = await findIndex(database.db, 'a');
    expect(index && (await getObject(database.db, index, 'kept'))).toMatchObject({ payload: 'the text of kept' });
  });

  test('bad input of a workflow started by hand fails it and names the field and the expected value', async () => {
    const twice = await rig.run('upsert', { index: 'a', items: [item('x'), item('x')] });
    expect(twice).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('items.1.id: the same id as items.0'),
    });
    const none = await rig.run('upsert', { index: 'nowhere', items: [item('x')] });
    expect(none).toMatchObject({ status: 'failed', detail: 'there is no index or alias nowhere' });
    const empty = await rig.run('delete', { index: 'a', ids: [] });
    expect(empty).toMatchObject({ status: 'failed', errors: [{ type: 'InvalidInput' }] });
    for (const type of ['upsert', 'delete', 'reindex', 'delete-index'] as const) {
      for (const input of [undefined, 'text', {}]) {
        expect(await rig.run(type, input as never)).toMatchObject({
          status: 'failed',
          errors: [{ type: 'InvalidInput' }],
        });
      }
    }
    const wrong = await rig.run('reindex', { source: 'a', dest: 'A b', waitSeconds: 0 });
    expect(wrong.detail).toContain('dest: ');
    expect(wrong.detail).toContain('waitSeconds: ');
  });
});
