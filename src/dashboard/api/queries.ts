import { queryOptions } from '@tanstack/react-query';
import type { StatsOptions, TaskFilter } from '../../client/client.ts';
import { PARTIAL, reembed } from './client.ts';
import { noteNoAnswer } from './connection.ts';

/** Queries that the pages poll while they are visible. */

export const indexesQuery = queryOptions({
  queryKey: ['indexes'],
  queryFn: () => reembed.indexes.list(PARTIAL),
  refetchInterval: 3_000,
});

export const aliasesQuery = queryOptions({
  queryKey: ['aliases'],
  queryFn: () => reembed.aliases.list(PARTIAL),
  refetchInterval: 3_000,
});

export const serverQuery = queryOptions({
  queryKey: ['server'],
  queryFn: () => reembed.server(),
  staleTime: Number.POSITIVE_INFINITY,
});

/** A server that hangs is as bad as one that is down. */
const HEALTH_LIMIT_MS = 5_000;

/** Asked for on every page: it also notices that the API itself does not answer. */
export const healthQuery = queryOptions({
  queryKey: ['health'],
  queryFn: async () => {
    const signal = AbortSignal.timeout(HEALTH_LIMIT_MS);
    try {
      return await reembed.health({ signal });
    } catch (error) {
      if (signal.aborted) noteNoAnswer();
      throw error;
    }
  },
  refetchInterval: 2_000,
  retry: false,
});

export const querySetsQuery = queryOptions({
  queryKey: ['query-sets'],
  queryFn: () => reembed.querySets.list(PARTIAL),
});

/** What the run of a task was started with, which never changes. */
export const taskInputQuery = (taskId: string, runId: string) =>
  queryOptions({
    queryKey: ['input', taskId, runId],
    queryFn: () => reembed.tasks.input(taskId),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const schedulesQuery = queryOptions({
  queryKey: ['schedules'],
  queryFn: () => reembed.schedules.list({ limit: 100 }),
  refetchInterval: 5_000,
});

export const jobsQuery = queryOptions({
  queryKey: ['jobs'],
  queryFn: () => reembed.jobs.list(),
  staleTime: 60_000,
});

export const countsQuery = (filter: Omit<TaskFilter, 'status'>) =>
  queryOptions({
    queryKey: ['counts', filter],
    queryFn: () => reembed.tasks.counts(filter),
    refetchInterval: 4_000,
    placeholderData: (before) => before,
  });

export const statsQuery = (minutes: number, options: Pick<StatsOptions, 'type' | 'index'>) =>
  queryOptions({
    queryKey: ['stats', minutes, options],
    queryFn: () => {
      const until = new Date();
      const from = new Date(until.getTime() - minutes * 60_000);
      return reembed.stats({ ...options, from, until, buckets: 30 });
    },
    refetchInterval: 15_000,
    placeholderData: (before) => before,
  });
