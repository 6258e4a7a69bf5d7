import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Embedder } from '../../../src/contract/embedder.ts';
import { ReembedError } from '../../../src/contract/errors.ts';
import type { ModelConfig } from '../../../src/contract/models.ts';
import {
  STEERING,
  STEERING_CALLS,
  type SteeringCall,
  type SteeringEffect,
  type TaskState,
} from '../../../src/contract/steering.ts';
import type { ReindexRequest } from '../../../src/contract/task-bodies.ts';
import type { Tracker } from '../../../src/contract/tasks.ts';
import { lockPair, releaseLock } from '../../../src/store/protocol/lock-pair.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { eventually } from '../../support/eventually.ts';
import { givenIndex, type Rig, startRig, startTemporal } from '../../support/rig.ts';
import { putObjects } from '../support.ts';
import { type Answer, taskApi } from './support.ts';

/** Dimensions, which identify the destinations. */
const DIMENSIONS = { usual: 8, held: 9, refused: 10, picky: 11 } as const;

/** Behavior of a destination's model. */
const MODELS: Record<number, (usual: Embedder) => Embedder['embed']> = {
  [DIMENSIONS.held]: () => (_texts, options) =>
    new Promise((_resolve, reject) => options.signal?.addEventListener('abort', () => reject(new Error('stopped')))),
  [DIMENSIONS.refused]: () => () => Promise.reject(new ReembedError('ModelRefused', 'the model may not be called')),
  // It answers the question for its dimensions and rejects every object.
  [DIMENSIONS.picky]: (usual) => (texts, options) =>
    texts.some((text) => text.startsWith('text '))
      ? Promise.reject(new ReembedError('ModelRejectedInput', 'not this'))
      : usual.embed(texts, options),
};

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let rig: Rig;
let api: ReturnType<typeof taskApi>;
/** Routers of a queue that has no worker yet. */
let idle: ReturnType<typeof taskApi>;

const options = () => ({
  environment,
  db: database.db,
  settings: { maxConcurrentReindexes: 1_000 },
  embedder: ({ dimensions }: ModelConfig, usual: Embedder) => {
    const embed = MODELS[dimensions]?.(usual);
    return embed ? { ...usual, embed } : usual;
  },
});

beforeAll(async () => {
  [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
  rig = await startRig(options());
  const world = { client: environment.client, db: database.db, taskQueue: rig.taskQueue };
  api = taskApi(world as never, { callerOf: () => 'ann' });
  idle = taskApi({ ...world, taskQueue: 'idle' } as never, { callerOf: () => 'ann' });
});
afterAll(async () => {
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

interface Subject {
  taskId: string;
  /** Removes what the task waits for. */
  clear(): Promise<void>;
}

const infoOf = async (taskId: string) => (await api.call('GET', `/info?taskId=${taskId}`)).body as Tracker;

async function reindex(
  model: keyof typeof DIMENSIONS,
  change: Partial<ReindexRequest> = {},
  via = api,
): Promise<string> {
  const source = await givenIndex(database.db, `s-${randomUUID()}`);
  await putObjects(database.db, source, [{ id: 'a', payload: 'text a' }]);
  const destModel = { provider: 'hash', dimensions: DIMENSIONS[model] } as const;
  const body = { source: source.name, dest: `d-${randomUUID()}`, destModel, ...change };
  const answer = await via.call('POST', '/reindex/run', body);
  expect(answer).toMatchObject({ status: 202 });
  return answer.body.id;
}

/** A reindex of an index that another task has locked. */
async function lockedReindex(change: Partial<ReindexRequest>): Promise<Subject> {
  const { db } = database;
  const source = await givenIndex(db, `s-${randomUUID()}`);
  const lock = randomUUID();
  await lockPair(db, {
    taskId: 'someone-else',
    lock,
    lockSeconds: 3_600,
    source: source.name,
    dest: `other-${randomUUID()}`,
    destModel: { provider: 'hash', dimensions: 8, name: 'hash-v1' },
    maxConcurrentReindexes: 1_000,
  });
  const taskId = await reindex('usual', { source: source.name, ...change });
  return { taskId, clear: () => releaseLock(db, lock) };
}

const reached = async (subject: Subject, status: Tracker['status']): Promise<Subject> => {
  const seen = await eventually(
    () => infoOf(subject.taskId),
    (tracker) => tracker.status === status,
  );
  expect(seen.status).toBe(status);
  return subject;
};
const free = (taskId: string): Subject => ({ taskId, clear: async () => {} });

/** Brings a task into each state. */
const SUBJECTS: Record<Exclude<TaskState, 'pending'>, () => Promise<Subject>> = {
  processing: async () => reached(free(await reindex('held')), 'processing'),
  waiting: async () => reached(await lockedReindex({ onConflict: 'wait' }), 'waiting'),
  async paused() {
    const subject = await reached(free(await reindex('held')), 'processing');
    await api.call('PUT', `/pause?taskId=${subject.taskId}`);
    return reached(subject, 'paused');
  },
  // The third back-off is 40 s: long enough to observe it on a busy machine.
  async 'failed, backing off'() {
    const subject = free(await reindex('picky', { maxFailed: 0, maxAttempts: 5 }));
    for (const attempt of [1, 2, 3]) {
      await eventually(
        () => infoOf(subject.taskId),
        ({ status, attempts }) => status === 'failed' && attempts === attempt,
      );
      if (attempt < 3) await api.call('PUT', `/restart?taskId=${subject.taskId}`);
    }
    return reached(subject, 'failed');
  },
  'failed, ended': async () => reached(free(await reindex('refused')), 'failed'),
  exhausted: async () => reached(free(await reindex('picky', { maxFailed: 0, maxAttempts: 1 })), 'exhausted'),
  done: async () => reached(free(await reindex('usual')), 'done'),
  async canceled() {
    const subject = await SUBJECTS.waiting();
    await api.call('PUT', `/cancel?taskId=${subject.taskId}`);
    return reached(subject, 'canceled');
  },
  refused: async () => reached(await lockedReindex({ onConflict: 'refuse' }), 'refused'),
  async ignored() {
    const subject = await SUBJECTS.waiting();
    await api.call('PUT', `/ignore?taskId=${subject.taskId}`);
    return reached(subject, 'ignored');
  },
};

function send(taskId: string, call: SteeringCall, via = api): Promise<Answer> {
  const [verb, force] = call.split(' with ');
  const rate = verb === 'throttle' ? '&ratePerSecond=1000' : '';
  return via.call('PUT', `/${verb}?taskId=${taskId}${rate}${force ? '&force=true' : ''}`);
}

interface Seen {
  before: Tracker;
  answer: Answer;
  /** Waits until the tracker matches. */
  later(fits: (tracker: Tracker) => boolean): Promise<Tracker>;
}

const becomes =
  (status: Tracker['status']) =>
  async ({ answer, later }: Seen) => {
    expect(answer.status).toBe(200);
    expect((await later((tracker) => tracker.status === status)).status).toBe(status);
  };

/** Checks the visible result of each effect. */
const SEEN: Record<SteeringEffect, (seen: Seen) => Promise<void>> = {
  async stops(seen) {
    expect(seen.answer).toMatchObject({ status: 200, body: { status: 'canceled' } });
    expect(seen.answer.body.lock).toBeNull();
  },
  isSetAside: becomes('ignored'),
  pauses: becomes('paused'),
  resumes: becomes('processing'),
  async continues({ answer, before, later }) {
    expect(answer.status).toBe(200);
    const begun = ({ status, attempts }: Tracker) =>
      before.status === 'failed' ? attempts > before.attempts : status === 'processing' || status === 'done';
    expect(begun(await later(begun))).toBe(true);
  },
  async checksAgain({ answer, before, later }) {
    expect(answer.status).toBe(200);
    const { status, attempts, links } = before;
    expect(await later((tracker) => tracker.status === status)).toMatchObject({ status, attempts, links });
  },
  async changesRate({ answer, before }) {
    expect(answer).toMatchObject({ status: 200, body: { status: before.status } });
  },
  async runsAgain({ answer, before, later }) {
    expect(answer.status).toBe(200);
    expect(answer.body.links.runId).not.toBe(before.links.runId);
    const { version, createTime } = before;
    expect(await later(({ attempts }) => attempts > before.attempts)).toMatchObject({ version, createTime });
  },
  async nothing({ answer, before, later }) {
    const { status, attempts, links } = before;
    expect(answer).toMatchObject({ status: 200, body: { status, attempts, links } });
    expect(await later(() => true)).toMatchObject({ status, attempts, links });
  },
  async tooLate({ answer, before, later }) {
    expect(answer).toMatchObject({ status: 409, body: { type: 'urn:reembed:error:TaskClosed' } });
    expect(await later(() => true)).toEqual(before);
  },
};

/** Whether the task keeps no record of the call, because it has ended and does not change. */
const UNRECORDED = (state: TaskState, effect: SteeringEffect) =>
  effect === 'tooLate' || (effect === 'nothing' && STEERING[state].pause === 'tooLate');

for (const [state, makeSubject] of Object.entries(SUBJECTS) as [
  Exclude<TaskState, 'pending'>,
  () => Promise<Subject>,
][]) {
  describe(`a task that is ${state}`, () => {
    for (const call of STEERING_CALLS) {
      const effect = STEERING[state][call];
      test.concurrent(`${call}: ${effect}`, async () => {
        const { taskId, clear } = await makeSubject();
        const before = await infoOf(taskId);
        if (effect === 'continues') await clear();
        const answer = await send(taskId, call);
        const later = (fits: (tracker: Tracker) => boolean) => eventually(() => infoOf(taskId), fits);
        await SEEN[effect]({ before, answer, later });
        if (!UNRECORDED(state, effect)) {
          expect((await later(() => true)).steering[0]).toMatchObject({ call: call.split(' ')[0], by: 'ann' });
        }
        await api.call('PUT', `/cancel?taskId=${taskId}`); // so that no task delays the stop of the workers
      });
    }
  });
}

describe('a task that is pending', () => {
  test('follows the call as soon as a worker takes it', async () => {
    const EXPECTED: Record<SteeringCall, Tracker['status']> = {
      cancel: 'canceled',
      restart: 'done',
      'restart with force': 'done',
      pause: 'paused',
      resume: 'done',
      ignore: 'ignored',
      throttle: 'done',
    };
    const tasks = await Promise.all(
      STEERING_CALLS.map(async (call) => {
        const taskId = await reindex('usual', {}, idle);
        expect(await send(taskId, call, idle)).toMatchObject({ status: 200, body: { status: 'pending' } });
        return { call, taskId };
      }),
    );
    const late = await startRig({ ...options(), taskQueue: 'idle' });
    for (const { call, taskId } of tasks) {
      const seen = await eventually(
        () => infoOf(taskId),
        ({ status }) => status === EXPECTED[call],
      );
      expect([call, seen.status, seen.steering[0]?.by]).toEqual([call, EXPECTED[call], 'ann']);
    }
    await late.stop();
  });
});

test('only a reindex can be throttled', async () => {
  const victim = (await givenIndex(database.db, `v-${randomUUID()}`)).name;
  const { body } = await api.call('POST', '/delete-index/run', { index: victim, after: '1h' });
  expect(await send(body.id, 'throttle')).toMatchObject({
    status: 400,
    body: { type: 'urn:reembed:error:InvalidInput' },
  });
  await api.call('PUT', `/cancel?taskId=${body.id}`);
});
