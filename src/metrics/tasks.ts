import type { InjectedSinks } from '@temporalio/worker';
import { isErrorType } from '../contract/errors.ts';
import type { TaskStatus } from '../contract/status.ts';
import type { TaskEvents } from '../contract/task-events.ts';
import { TASK_TYPES } from '../contract/task-types.ts';
import type { Metrics } from './metrics.ts';

const ENDS: readonly TaskStatus[] = ['done', 'canceled', 'failed', 'exhausted', 'refused', 'ignored'];

type TaskSinks = {
  taskEvents: TaskEvents;
};

/** Creates the sinks through which workflow workers count task events; without metrics they do nothing. */
export function taskEventSinks(metrics?: Metrics): InjectedSinks<TaskSinks> {
  // Prometheus detects no increase in a counter that starts with its first event.
  for (const type of TASK_TYPES) for (const status of ENDS) metrics?.tasksFinished.inc({ type, status }, 0);
  const counted: TaskEvents = {
    attempted: ({ type }) => metrics?.taskAttempts.inc({ type }),
    attemptFailed: ({ type, error }) =>
      metrics?.taskFailures.inc({ type, error: isErrorType(error) || error === 'Timeout' ? error : 'other' }),
    ended({ type, status, seconds }) {
      metrics?.tasksFinished.inc({ type, status });
      metrics?.taskSeconds.observe({ type, status }, seconds);
    },
  };
  const sink = <E extends keyof TaskEvents>(event: E) => ({
    fn: (_info: unknown, fact: Parameters<TaskEvents[E]>[0]) => counted[event](fact as never),
    callDuringReplay: false,
  });
  return {
    taskEvents: { attempted: sink('attempted'), attemptFailed: sink('attemptFailed'), ended: sink('ended') },
  };
}
