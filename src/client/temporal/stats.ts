import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import pLimit from 'p-limit';
import type { Bucket } from '../../contract/stats.ts';
import { callTemporal } from './call.ts';
import { and, queryOf, runsOf, type TaskFilter } from './task-filter.ts';
import { countExecutions } from './visibility.ts';

export interface StatsRange extends Pick<TaskFilter, 'types' | 'index'> {
  from: Date;
  until: Date;
  /** Stretches of the same length that the range is cut into. */
  buckets: number;
}

/** Counts that are asked for at once. */
const AT_ONCE = 8;

/** How tasks that ended count, by how Temporal says that their workflows did. */
const ENDS: Record<string, 'done' | 'failed' | 'canceled'> = {
  Completed: 'done',
  Failed: 'failed',
  TimedOut: 'failed',
  Canceled: 'canceled',
  Terminated: 'canceled',
};

/**
 * Tasks over time, from Temporal's own records: three counts for each stretch, none of which reads a task. Error:
 * `TemporalUnavailable`, and `InvalidInput` for an index that cannot be one.
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
        count(queryOf({ ...filter, createdAfter: start, createdBefore: end })),
        limit(() => countEnds(client, filter, start, end)),
        count(openAt(filter, end)),
      ]);
      return { from: start.toISOString(), until: end.toISOString(), created, ...ended, open };
    }),
  );
}

/** Of a task that goes on as one run after the other, exactly one is open at a moment. */
function openAt(filter: Pick<StatsRange, 'types' | 'index'>, moment: Date): string {
  const at = `'${moment.toISOString()}'`;
  return and(runsOf(filter), `StartTime < ${at}`, `(ExecutionStatus = 'Running' OR CloseTime >= ${at})`);
}

async function countEnds(client: Client, filter: Pick<StatsRange, 'types' | 'index'>, from: Date, until: Date) {
  const { namespace } = client.options;
  const query = `${and(
    queryOf(filter),
    `CloseTime >= '${from.toISOString()}'`,
    `CloseTime < '${until.toISOString()}'`,
    `(TaskStatus IS NULL OR TaskStatus != 'ignored')`,
  )} GROUP BY ExecutionStatus`;
  const { groups } = await callTemporal(client, '', () =>
    client.workflowService.countWorkflowExecutions({ namespace, query }),
  );
  const counts = { done: 0, failed: 0, canceled: 0 };
  for (const { groupValues, count } of groups ?? []) {
    const [value] = groupValues ?? [];
    const end = value && ENDS[String(defaultPayloadConverter.fromPayload(value))];
    if (end) counts[end] += Number(count ?? 0);
  }
  return counts;
}
