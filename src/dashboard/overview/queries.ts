import { queryOptions } from '@tanstack/react-query';
import type { TaskFilter, TaskRow } from '../../client/client.ts';
import { reembed } from '../api/client.ts';

const MAX_ROWS = 100;
/** Failures that are older are history. */
export const FAILED_WITHIN_DAYS = 7;

const rows = (name: string, filter: TaskFilter, everyMs: number) =>
  queryOptions({
    queryKey: ['overview', name],
    queryFn: () => reembed.tasks.page({ ...filter, limit: MAX_ROWS }),
    refetchInterval: everyMs,
  });

/** Tasks that have not ended, the newest of them if there are very many. */
export const openQuery = rows('open', { open: true }, 3_000);
export const reindexesQuery = rows('reindexes', { open: true, type: 'reindex' }, 2_000);

/** Tasks that have failed and are not tried again. */
export const failedQuery = queryOptions({
  queryKey: ['overview', 'failed'],
  queryFn: async () => {
    const createdAfter = new Date(Date.now() - FAILED_WITHIN_DAYS * 86_400_000);
    const lists = await Promise.all(
      (['failed', 'exhausted', 'refused'] as const).map((status) =>
        reembed.tasks.page({ status, open: false, createdAfter, limit: MAX_ROWS }),
      ),
    );
    return { tasks: lists.flatMap(({ tasks }) => tasks), total: lists.reduce((sum, { total }) => sum + total, 0) };
  },
  refetchInterval: 5_000,
});

/** Tasks that failed for the same reason. */
export interface FailureGroup {
  type: string;
  /** The message of the newest one. */
  message: string;
  tasks: TaskRow[];
}

/** Groups failed tasks by their error, the largest group first. */
export function groupsOf(tasks: readonly TaskRow[]): FailureGroup[] {
  const groups = new Map<string, FailureGroup>();
  for (const task of tasks) {
    const type = task.errors?.[0]?.type ?? task.status;
    const group = groups.get(type) ?? { type, message: task.errors?.[0]?.message ?? task.detail ?? '', tasks: [] };
    groups.set(type, group);
    group.tasks.push(task);
  }
  return [...groups.values()].sort((a, b) => b.tasks.length - a.tasks.length);
}
