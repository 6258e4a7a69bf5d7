import proto from '@temporalio/proto';
import { expect, test } from 'vitest';
import { waitsForWorker } from '../../../src/temporal/tasks/worker-wait.ts';

const { PENDING_ACTIVITY_STATE_SCHEDULED: scheduled, PENDING_ACTIVITY_STATE_STARTED: started } =
  proto.temporal.api.enums.v1.PendingActivityState;

const NOW_MS = Date.parse('2026-03-01T12:00:00Z');
const at = (seconds: number) => proto.google.protobuf.Timestamp.fromObject({ seconds: NOW_MS / 1_000 + seconds });

test.each([
  ['nothing is due', [], false],
  ['its activity was scheduled long ago', [{ state: scheduled, scheduledTime: at(-60) }], true],
  ['its activity was just scheduled', [{ state: scheduled, scheduledTime: at(-1) }], false],
  ['a worker runs its activity', [{ state: started, scheduledTime: at(-60) }], false],
  ['a retry is not due yet', [{ state: scheduled, scheduledTime: at(-60), nextAttemptScheduleTime: at(30) }], false],
  ['a retry is due', [{ state: scheduled, scheduledTime: at(-90), nextAttemptScheduleTime: at(-60) }], true],
  [
    'a worker runs one of two activities',
    [
      { state: scheduled, scheduledTime: at(-60) },
      { state: started, scheduledTime: at(-60) },
    ],
    false,
  ],
])('a task of which %s (%j) waits for a worker: %s', (_what, pendingActivities, expected) => {
  expect(waitsForWorker({ pendingActivities }, NOW_MS)).toBe(expected);
});
