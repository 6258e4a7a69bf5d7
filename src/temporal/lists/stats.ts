import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import pLimit from 'p-limit';
import type { Bucket } from '../../contract/stats.ts';
import { callTemporal } from '../call.ts';
import { and, runsQuery, type TaskFilter, tasksQuery } from './query.ts';
import { countExecutions, inTurn } from './visibility.ts';

export interface StatsRange extends Pick<TaskFilter, 'types' | 'index'> {
  from: Date;
  until: Date;
  /** Number of equal intervals that the range is divided into. */
  buckets: number;
}

/** Max. concurrent count requests. */
const AT_ONCE = 8;

/** Category of an ended task, by Temporal's status of its workflow. */
const ENDS: Record<string, 'done' | 'failed' | 'canceled'> = {
  Completed: 'done',
  Failed: 'failed',
  TimedOut: 'failed',
  Canceled: 'canceled',
  Terminated: 'canceled',
};

/**
 * Counts tasks over time from Temporal's records: three counts per interval, none of which reads a task. Errors:
 * `TemporalUnavailable`, `InvalidInput` for an invalid index name.
 */
export async function taskStats(client: Client, { from, until, buckets, ...filter }: StatsRange): Promise<Bucket[]> {
  const limit = pLimit(AT_ONCE);
  const startMs = from.getTime();
  const stepMs = (until.getTime() - startMs) / buckets;
  const edges = Array.from({ length: buckets + 1 }, (_, at) => new Date(Math.round(startMs + at * stepMs)));
  const count = (query: string) => limit(() => countExecutions(client, query));
  return Promise.all(
    edges.slice(1).map(async (end, at) => {
      const start = edges[at] as Date;
      const [created, ended, open] = await Promise.all([
        count(tasksQuery({ ...filter, createdAfter: start, createdBefore: end })),
        limit(() => countEnds(client, filter, start, end)),
        count(openAt(filter, end)),
      ]);
      return { from: start.toISOString(), until: end.toISOString(), created, ...ended, open };
    }),
  );
}

/** Condition for tasks that were open at a moment. Of a task with several runs, exactly one is open at a time. */
function openAt(filter: Pick<StatsRange, 'types' | 'index'>, moment: Date): string {
  const at = `'${moment.toISOString()}'`;
  return and(runsQuery(filter), `StartTime < ${at}`, `(ExecutionStatus = 'Running' OR CloseTime >= ${at})`);
}

async function countEnds(client: Client, filter: Pick<StatsRange, 'types' | 'index'>, from: Date, until: Date) {
  const { namespace } = client.options;
  const query = `${and(
    tasksQuery(filter),
    `CloseTime >= '${from.toISOString()}'`,
    `CloseTime < '${until.toISOString()}'`,
    `(TaskStatus IS NULL OR TaskStatus != 'ignored')`,
  )} GROUP BY ExecutionStatus`;
  const call = () => client.workflowService.countWorkflowExecutions({ namespace, query });
  const { groups } = await inTurn(client, () => callTemporal(client, '', call));
  const counts = { done: 0, failed: 0, canceled: 0 };
  for (const { groupValues, count } of groups ?? []) {
    const [value] = groupValues ?? [];
    const end = value && ENDS[String(defaultPayloadConverter.fromPayload(value))];
    if (end) counts[end] += Number(count ?? 0);
  }
  return counts;
}
