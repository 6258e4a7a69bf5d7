import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { endOf, startTemporal, trackerWhen } from '../../support/rig.ts';
import { type Script, type ScriptedWorkers, startScripted } from '../support/scripted.ts';

vi.setConfig({ testTimeout: 300_000 });

const CHUNKS = 8;
/** Moments for a signal: while a step runs, and while the renewal of the lock delays the end of a run. */
const POINTS: [activity: string, call: number][] = [
  ...Array.from({ length: CHUNKS }, (_, at): [string, number] => ['copySlice', at + 1]),
  ...Array.from({ length: CHUNKS }, (_, at): [string, number] => ['reconcile', at + 1]),
  ...Array.from({ length: 4 }, (_, at): [string, number] => ['end of renewLock', at + 1]),
];

describe('a reindex that continues as a new run again and again', () => {
  let environment: TestWorkflowEnvironment;
  let workers: ScriptedWorkers;

  beforeAll(async () => {
    environment = await startTemporal('dev', { dynamicConfig: ['limit.historyCount.suggestContinueAsNew=25'] });
    workers = await startScripted(environment);
  });
  afterAll(async () => {
    await workers?.stop();
    await environment?.teardown();
  });

  const start = (workflowId: string, type = 'reindex', input: object = { source: 'a', dest: 'b' }) =>
    environment.client.workflow.start(type, { workflowId, taskQueue: workers.taskQueue, args: [input] });

  /** Starts a reindex during which `send` is called at one point. */
  async function begin(
    name: string,
    point: (typeof POINTS)[number],
    send: (handle: WorkflowHandle) => Promise<unknown>,
  ) {
    const id = `${name}-${POINTS.indexOf(point)}`;
    const script = workers.scriptOf(id);
    Object.assign(script, { renewalMs: 300, copyChunks: CHUNKS, reconcileChunks: CHUNKS });
    const handle = environment.client.workflow.getHandle(id);
    const sent = new Promise<void>((resolve, reject) => {
      const isAt = (activity: string, call: number) => activity === point[0] && call === point[1];
      script.during = async (activity, call) => {
        if (isAt(activity, call)) await send(handle).then(() => resolve(), reject);
        // It waits for the signal one step before its last; how often the lock is renewed until then varies.
        else if (point[0] === 'end of renewLock' && activity === 'reconcile' && call === CHUNKS - 1) await sent;
      };
    });
    const { firstExecutionRunId } = await start(id);
    const end = endOf(handle);
    await Promise.race([sent, end]);
    return { id, script, handle, end, firstExecutionRunId };
  }

  const everywhere = <T>(run: (point: (typeof POINTS)[number]) => Promise<T>) => Promise.all(POINTS.map(run));

  /** The lock is released, and nothing was switched after that. */
  function expectNothingSwitched(id: string, { calls, locks, released }: Script) {
    expect([id, calls.cutOver ?? 0]).toEqual([id, 0]);
    expect([id, [...released]]).toEqual([id, [...locks]]);
  }

  test.each([
    ['cancel', 'canceled', (handle: WorkflowHandle) => handle.signal('cancel', 'enough')],
    ['ignore', 'ignored', (handle: WorkflowHandle) => handle.signal('ignore', 'enough')],
    ['a cancellation of Temporal', 'canceled', (handle: WorkflowHandle) => handle.cancel()],
  ] as const)('stops at %s, at any moment, and releases its lock', async (name, status, send) => {
    await everywhere(async (point) => {
      const { id, script, end } = await begin(name.replaceAll(' ', '-'), point, send);
      expect([id, await end]).toMatchObject([id, { status, attempts: 1 }]);
      expectNothingSwitched(id, script);
    });
  });

  test('pauses at any moment, keeps its lock while paused, and continues at resume', async () => {
    await everywhere(async (point) => {
      const { id, script, handle, end } = await begin('pause', point, (to) => to.signal('pause', 'somebody'));
      await trackerWhen(handle, ({ status }) => status === 'paused');
      const { calls } = script;
      const before = calls.renewLock ?? 0;
      // More than fit into one run. Where it cannot continue as a new one, each takes twice as long as the last.
      await vi.waitUntil(() => (calls.renewLock ?? 0) >= before + 4, { timeout: 180_000 });
      expect([id, calls.cutOver ?? 0, script.released.size]).toEqual([id, 0, 0]);
      expect(await handle.query('tracker')).toMatchObject({ status: 'paused', attempts: 1 });
      await handle.signal('resume', 'somebody');
      const tracker = await end;
      expect([id, tracker]).toMatchObject([id, { status: 'done', attempts: 1 }]);
      expect(tracker.steering.map(({ call }) => call)).toEqual(['resume', 'pause']);
      expect([id, calls.cutOver, script.locks.size]).toEqual([id, 1, 1]);
    });
  });

  test('adopts a new rate at any moment, and ends', async () => {
    await everywhere(async (point) => {
      const { id, script, end, firstExecutionRunId } = await begin('rate', point, (to) => to.signal('throttle', 7));
      const tracker = await end;
      expect([id, tracker]).toMatchObject([id, { status: 'done', attempts: 1 }]);
      expect([id, tracker.steering.map(({ call }) => call)]).toEqual([id, ['throttle']]);
      // The last step does not see what arrives during it, unless the server runs it again.
      const isInLast = point[0] === 'reconcile' && script.calls.reconcile === point[1];
      expect([id, script.rates.at(-1)]).toEqual([id, isInLast ? null : 7]);
      expect(tracker.links.runId).not.toBe(firstExecutionRunId);
    });
  });

  test('records a restart and is not disturbed by it', async () => {
    await everywhere(async (point) => {
      const { id, script, end } = await begin('restart', point, (to) => to.signal('restart'));
      const tracker = await end;
      expect([id, tracker]).toMatchObject([id, { status: 'done', attempts: 1, steering: [{ call: 'restart' }] }]);
      expect([id, script.calls.cutOver, script.locks.size]).toEqual([id, 1, 1]);
    });
  });

  test('an upsert of many items continues as new runs, and writes each item once', async () => {
    const handle = await start('many', 'upsert', { index: 'a', items: [] });
    const tracker = await endOf(handle);
    const script = workers.scriptOf('many');
    expect(tracker).toMatchObject({ status: 'done', attempts: 1, version: 7, data: { written: 20_000, failed: 0 } });
    expect(tracker.progress).toMatchObject({ done: 20_000, total: 20_000 });
    expect(tracker.links.runId).not.toBe(handle.firstExecutionRunId);
    const froms = script.chunks.map(([from]) => from).sort((one, other) => one - other);
    expect(froms).toEqual(Array.from({ length: 40 }, (_, at) => at * 500));
    expect([script.calls.admit, script.calls.dropStaged]).toEqual([1, 1]);
  });

  test('an upsert that is paused and resumed a hundred times has a short history and obeys every signal', async () => {
    const script = workers.scriptOf('often');
    let handle: WorkflowHandle | undefined;
    let isOver = false;
    const pausing = (async () => {
      handle = await start('often', 'upsert', { index: 'a', items: [] });
      for (let times = 0; times < 100; times++) {
        await handle.signal('pause').catch(() => {});
        await handle.signal('resume').catch(() => {});
      }
      isOver = true;
    })();
    script.during = async (activity) => {
      while (activity === 'writeChunk' && !isOver && (script.calls.writeChunk ?? 0) >= 36) await delay(20);
    };
    await pausing;
    const tracker = await endOf(handle as WorkflowHandle);
    expect(tracker).toMatchObject({ status: 'done', attempts: 1, data: { written: 20_000 } });
    expect(tracker.steering).toHaveLength(20);
    const { historyLength } = await (handle as WorkflowHandle).describe();
    expect(historyLength).toBeLessThan(400);
  });
});
