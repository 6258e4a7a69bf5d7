import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';
import type { TaskStatus } from '../../contract/status.ts';
import { TASK_TYPES, type TaskType } from '../../contract/task-types.ts';
import { callTemporal } from '../call.ts';
import { listSchedules } from '../schedules/list.ts';
import type { TaskRow } from '../tasks/list-row.ts';
import { listTasks } from './list.ts';
import { tasksQuery } from './query.ts';
import { countExecutions } from './visibility.ts';

/** State of tasks, queues and schedules in Temporal, for metrics. */
export interface TemporalState {
  openTasks: { type: TaskType; status: TaskStatus; count: number }[];
  queues: QueueState[];
  /** Running reindexes as they were last published. */
  reindexes: TaskRow[];
  schedules: { active: number; paused: number; missed: number; lateSeconds: number };
}

export interface QueueState {
  queue: string;
  kind: 'workflow' | 'activity';
  backlog: number;
  backlogAgeSeconds: number;
  pollers: number;
  /** Identities of the workers that poll. */
  identities: string[];
}

/** A task queue of Temporal, with its name in metrics. */
export interface ObservedQueue {
  name: string;
  taskQueue: string;
  kind: QueueState['kind'];
}

const OPEN: readonly TaskStatus[] = ['pending', 'processing', 'waiting', 'paused', 'failed'];
const KIND_NUMBERS = { workflow: 1, activity: 2 } as const;
/** A poller counts as present if it was seen within this time; a poll lasts up to a minute. */
const SEEN_WITHIN_MS = 120_000;
const MAX_SCHEDULES = 100;
const MAX_REINDEXES = 100;
const CALLS_AT_ONCE = 8;

/** Reads the state with a few dozen short calls. Error: `TemporalUnavailable`. */
export async function readTemporalState(
  client: Client,
  { taskQueue, queues }: { taskQueue: string; queues: readonly ObservedQueue[] },
): Promise<TemporalState> {
  const [openTasks, states, { tasks: reindexes }, schedules] = await Promise.all([
    countOpenTasks(client),
    Promise.all(queues.map((queue) => readQueue(client, queue))),
    listTasks(client, { types: ['reindex'], open: true, limit: MAX_REINDEXES }),
    readSchedules(client, taskQueue),
  ]);
  return { openTasks, queues: states, reindexes, schedules };
}

/** Counts open tasks by type and status; statuses are requested only for types with open tasks. */
async function countOpenTasks(client: Client): Promise<TemporalState['openTasks']> {
  const limit = pLimit(CALLS_AT_ONCE);
  const count = (type: TaskType, statuses?: TaskStatus[]) =>
    limit(() => countExecutions(client, tasksQuery({ types: [type], open: true, statuses })));
  const counts = await Promise.all(
    TASK_TYPES.map(async (type) => {
      const all = await count(type);
      return Promise.all(
        OPEN.map(async (status) => ({ type, status, count: all === 0 ? 0 : await count(type, [status]) })),
      );
    }),
  );
  return counts.flat();
}

/** Reads the backlog of a queue and who polls it. Error: `TemporalUnavailable`. */
export async function readQueue(client: Client, { name, taskQueue, kind }: ObservedQueue): Promise<QueueState> {
  const { namespace } = client.options;
  const request = {
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: KIND_NUMBERS[kind],
    reportStats: true,
  };
  const { pollers, stats } = await callTemporal(client, '', () => client.workflowService.describeTaskQueue(request));
  const since = Date.now() - SEEN_WITHIN_MS;
  const seen = (pollers ?? []).filter(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 > since);
  const age = stats?.approximateBacklogAge;
  return {
    queue: name,
    kind,
    backlog: Number(stats?.approximateBacklogCount ?? 0),
    backlogAgeSeconds: Number(age?.seconds ?? 0) + Number(age?.nanos ?? 0) / 1e9,
    pollers: seen.length,
    identities: seen.map(({ identity }) => identity ?? ''),
  };
}

async function readSchedules(client: Client, taskQueue: string): Promise<TemporalState['schedules']> {
  const { schedules } = await listSchedules(client, { taskQueue, limit: MAX_SCHEDULES });
  const now = Date.now();
  const state = { active: 0, paused: 0, missed: 0, lateSeconds: 0 };
  for (const { paused, counts, nextTimes } of schedules) {
    state[paused ? 'paused' : 'active']++;
    state.missed += counts.missed;
    const [next] = nextTimes;
    if (next !== undefined) state.lateSeconds = Math.max(state.lateSeconds, (now - Date.parse(next)) / 1_000);
  }
  return state;
}
