import { describe, expect, test } from 'vitest';
import type { FoundTask, TaskSteerer } from '../../src/activities/dependencies.ts';
import { type Steering, steerOne } from '../../src/activities/steer-one.ts';
import { ReembedError } from '../../src/contract/errors.ts';
import type { SteerAction } from '../../src/contract/steer-tasks.ts';
import type { Tracker } from '../../src/contract/tasks.ts';

/** One task that records its calls. */
function given(found: Partial<FoundTask>, after: Partial<Tracker> | Error = {}) {
  const task: FoundTask = { type: 'upsert', status: 'processing', runId: 'run-1', ended: false, ...found };
  const calls: string[] = [];
  const doIt = (verb: string) => async () => {
    calls.push(verb);
    if (after instanceof Error) throw after;
    return { status: task.status, ...after } as Tracker;
  };
  const tasks: TaskSteerer = {
    async *list() {},
    look: async () => task,
    cancel: doIt('cancel'),
    restart: doIt('restart'),
    pause: doIt('pause'),
    resume: doIt('resume'),
    ignore: doIt('ignore'),
  };
  return { tasks, calls };
}

const steering = (action: SteerAction, options: Partial<Steering> = {}): Steering => ({
  action,
  force: false,
  reason: undefined,
  dryRun: false,
  by: 'task s',
  ...options,
});
const target = (change = {}) =>
  ({ taskId: 't', type: 'upsert', status: 'failed', runId: 'run-1', tried: false, ...change }) as const;

describe('steering one of many tasks', () => {
  test.each([
    ['cancel', { status: 'done', ended: true }, 'it has ended as done'],
    ['ignore', { status: 'failed', ended: true }, 'it has ended as failed'],
    ['pause', { status: 'paused' }, 'it is paused'],
    ['restart', { status: 'processing' }, 'it is processing'],
    ['restart', { status: 'exhausted', ended: true }, 'it is exhausted: set force to run it again'],
    ['restart', { status: 'ignored', ended: true }, 'it is ignored: set force to run it again'],
    ['restart', { status: 'failed', ended: true, runId: 'run-2' }, 'it was restarted in the meantime'],
    ['cancel', { type: 'reindex-slice' }, 'a slice is controlled by its reindex'],
    ['pause', { type: 'steer' }, 'steering tasks can only be steered individually'],
  ] as const)('%s does nothing to a task that is %o: %s', async (action, found, detail) => {
    const { tasks, calls } = given(found);
    expect(await steerOne(tasks, steering(action), target())).toMatchObject({ outcome: 'nothing', detail });
    expect(calls).toEqual([]);
  });

  test('restarts an exhausted task with force', async () => {
    const { tasks, calls } = given({ status: 'exhausted', ended: true });
    expect(await steerOne(tasks, steering('restart', { force: true }), target())).toMatchObject({
      outcome: 'restarted',
    });
    expect(calls).toEqual(['restart']);
  });

  test.each([
    ['cancel', { status: 'canceled', ended: true }, {}, 'canceled'],
    ['ignore', { status: 'ignored', ended: true }, {}, 'ignored'],
    ['pause', { status: 'paused' }, {}, 'paused'],
    ['resume', { status: 'processing' }, { status: 'paused' }, 'resumed'],
    ['restart', { status: 'failed', ended: true, runId: 'run-2' }, {}, 'restarted'],
    ['restart', { status: 'processing' }, { status: 'waiting' }, 'restarted'],
  ] as const)(
    '%s is not repeated after an earlier try that could not report its success',
    async (action, found, before, outcome) => {
      const { tasks, calls } = given(found);
      expect(await steerOne(tasks, steering(action), target({ tried: true, ...before }))).toMatchObject({ outcome });
      expect(calls).toEqual([]);
    },
  );

  test('reports a task that has not stopped yet as requested, one that ended otherwise as not canceled', async () => {
    const slow = given({ status: 'processing' });
    expect(await steerOne(slow.tasks, steering('cancel'), target())).toMatchObject({ outcome: 'asked' });
    const late = given({ status: 'processing' }, { status: 'done' });
    const result = await steerOne(late.tasks, steering('cancel'), target());
    expect(result).toMatchObject({ outcome: 'nothing', detail: 'it has ended as done' });
  });

  test('resumes a task that was about to pause', async () => {
    const { tasks, calls } = given({ status: 'waiting' });
    expect(await steerOne(tasks, steering('resume'), target())).toMatchObject({ outcome: 'nothing' });
    expect(calls).toEqual(['resume']);
  });

  test('records an error as the result of its task, but retries when the server is unavailable', async () => {
    const wrong = given({}, new Error('boom'));
    const failed = await steerOne(wrong.tasks, steering('cancel'), target());
    expect(failed).toEqual({ taskId: 't', outcome: 'failed', reason: 'Internal', detail: 'boom' });
    const closed = given({}, new ReembedError('TaskClosed', 'the task t has ended'));
    expect(await steerOne(closed.tasks, steering('pause'), target())).toMatchObject({ outcome: 'nothing' });
    const away = given({}, new ReembedError('TemporalUnavailable', 'away'));
    await expect(steerOne(away.tasks, steering('cancel'), target())).rejects.toMatchObject({
      type: 'TemporalUnavailable',
    });
  });

  test('does nothing in a dry run', async () => {
    for (const [action, status, outcome] of [
      ['cancel', 'waiting', 'would-cancel'],
      ['restart', 'failed', 'would-restart'],
      ['resume', 'paused', 'would-resume'],
      ['resume', 'waiting', 'nothing'],
    ] as const) {
      const { tasks, calls } = given({ status });
      expect(await steerOne(tasks, steering(action, { dryRun: true }), target())).toMatchObject({ outcome });
      expect(calls).toEqual([]);
    }
  });
});
