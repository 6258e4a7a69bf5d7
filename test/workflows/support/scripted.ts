import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type { ControlActivities, EmbedActivities, WriteChunkRequest } from '../../../src/contract/activities.ts';
import { embedQueueOf } from '../../../src/contract/names.ts';
import type { ReconcileRequest } from '../../../src/contract/reindex-activities.ts';
import type { ChunkWaits } from '../../../src/contract/task-pace.ts';
import { taskEventSinks } from '../../../src/metrics/tasks.ts';
import { workflowBundle } from '../../support/bundle.ts';

/** Activities that only keep a task busy for as many calls as the test wants, and record the calls. */
export interface Script {
  /** Number of calls of an activity so far, by its name. */
  calls: Record<string, number>;
  /** Called within the n-th call of an activity, before it returns. */
  during(activity: string, call: number): Promise<void>;
  /** Milliseconds that a renewal of the lock takes: the steps continue at the same time. */
  renewalMs: number;
  copyChunks: number;
  reconcileChunks: number;
  locks: Set<string>;
  /** Seconds of the renewals of the lock. */
  leases: number[];
  released: Set<string>;
  rates: (number | null)[];
  /** What each part of a copy and of a pass tells that it waited for. */
  waits: ChunkWaits | undefined;
  chunks: [from: number, to: number][];
  /** How many tries to drop tables find them in use. */
  usedFor: number;
}

export interface ScriptedWorkers {
  taskQueue: string;
  scriptOf(taskId: string): Script;
  /** Stops the worker of the embed queue, once it has finished what it has begun. */
  stopEmbedding(): Promise<void>;
  stop(): Promise<void>;
}

const CHUNK = 500;

/** Workers of the real workflows, whose activities follow a script for each task. */
export async function startScripted(environment: TestWorkflowEnvironment): Promise<ScriptedWorkers> {
  const taskQueue = `scripted-${randomUUID()}`;
  const scripts = new Map<string, Script>();
  const scriptOf = (taskId: string): Script => {
    const script = scripts.get(taskId) ?? {
      calls: {},
      during: async () => {},
      renewalMs: 0,
      copyChunks: 1,
      reconcileChunks: 1,
      locks: new Set<string>(),
      leases: [],
      released: new Set<string>(),
      rates: [],
      waits: undefined,
      chunks: [],
      usedFor: 0,
    };
    scripts.set(taskId, script);
    return script;
  };
  /** The script of the calling task; for a slice, that of its reindex. */
  const ofCaller = () => scriptOf((Context.current().info.workflowExecution?.workflowId ?? '').split('/')[0] as string);
  const called = async (activity: string) => {
    const script = ofCaller();
    script.calls[activity] = (script.calls[activity] ?? 0) + 1;
    const call = script.calls[activity];
    const context = Context.current();
    const { info } = context;
    const beating = setInterval(() => info.isLocal || context.heartbeat(), 1_000);
    await script.during(activity, call).finally(() => clearInterval(beating));
    return { script, call };
  };

  const control: Partial<ControlActivities & EmbedActivities> = {
    async admit({ type, input, taskId, chain }) {
      await called('admit');
      const { items, ...rest } = input as { items?: unknown[] };
      const total = 40 * CHUNK;
      const accepted = { version: 7, total, staging: `${taskId}/${chain}` };
      const settings = type === 'delete-index' ? { indexNo: 1 } : { lockSeconds: 0.3 };
      return { input: { ...rest, ...settings }, accepted: type === 'upsert' ? accepted : null };
    },
    async lockPair({ lock }) {
      const { script } = await called('lockPair');
      script.locks.add(lock);
      const time = new Date().toISOString();
      const pair = { lock, sourceNo: 1, destNo: 2, source: 'a', alias: 'x', plan: null };
      return { kind: 'locked', mark: 0, lockTime: time, lockExpireTime: time, ...pair };
    },
    async planSlices() {
      await called('planSlices');
      return { slices: [{ after: null, until: null }], size: 1, total: 1 };
    },
    async renewLock(_lock, lockSeconds) {
      const { script, call } = await called('renewLock');
      script.leases.push(lockSeconds);
      await delay(script.renewalMs);
      await script.during('end of renewLock', call);
      return new Date().toISOString();
    },
    async releaseLock(lock) {
      (await called('releaseLock')).script.released.add(lock);
    },
    async markDeleting() {
      await called('markDeleting');
      return { indexNo: 1 };
    },
    async dropIndex() {
      const { script, call } = await called('dropIndex');
      return call <= script.usedFor ? { kind: 'inUse', by: 'a backup' } : { kind: 'dropped' };
    },
    wasCutOver: async () => false,
    async requestCancel() {
      const { workflowExecution } = Context.current().info;
      await environment.client.workflow.getHandle(workflowExecution?.workflowId ?? '').cancel();
    },
    dropStaged: async () => void (await called('dropStaged')),
  };
  const nothing = { copied: 0, tombstones: 0, failed: 0 };
  const embed: Partial<EmbedActivities> = {
    checkModel: async () => void (await called('checkModel')),
    async copySlice({ ratePerSecond }) {
      const { script, call } = await called('copySlice');
      await delay(20);
      script.rates.push(ratePerSecond);
      const done = call >= script.copyChunks;
      return { counts: { ...nothing, copied: 1 }, cursor: `k${call}`, done, waitedMs: 0, waits: script.waits };
    },
    reconcileMirror: async ({ mark }) => ({ mark, more: false }),
    buildVectorIndex: async () => void (await called('buildVectorIndex')),
    async reconcile({ mark, ratePerSecond }: ReconcileRequest) {
      const { script, call } = await called('reconcile');
      await delay(20);
      script.rates.push(ratePerSecond);
      return { counts: nothing, mark: mark + 1, more: call < script.reconcileChunks, waits: script.waits };
    },
    async verify() {
      await called('verify');
      return { source: 0, dest: 0, failed: 0, removed: 0, recall: null };
    },
    async cutOver({ mark }) {
      await called('cutOver');
      return { kind: 'done', mark, drainMs: 0 };
    },
    async writeChunk({ fromSeq, toSeq }: WriteChunkRequest) {
      const { script } = await called('writeChunk');
      const nextSeq = Math.min(toSeq, fromSeq + CHUNK);
      script.chunks.push([fromSeq, nextSeq]);
      const counts = { written: nextSeq - fromSeq, unchanged: 0, stale: 0, failed: 0 };
      return { nextSeq, counts, heldBackMs: 0, forwards: [], blocked: null, vectorIndexDue: null };
    },
  };
  const common = {
    connection: environment.nativeConnection,
    namespace: environment.namespace ?? 'default',
    shutdownGraceTime: 100,
  };
  const bundle = await workflowBundle();
  const workers = await Promise.all([
    Worker.create({ ...common, taskQueue, workflowBundle: bundle, sinks: taskEventSinks(), activities: control }),
    Worker.create({ ...common, taskQueue: embedQueueOf(taskQueue), activities: embed }),
  ]);
  const stops = workers.map((worker) => {
    const running = worker.run();
    running.catch(() => {});
    return async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await running;
    };
  });
  return {
    taskQueue,
    scriptOf,
    stopEmbedding: stops[1] as (typeof stops)[number],
    async stop() {
      for (const stop of stops) await stop();
    },
  };
}
