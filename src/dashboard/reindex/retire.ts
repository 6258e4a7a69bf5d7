import { queryOptions } from '@tanstack/react-query';
import type { Tracker } from '../../contract/tasks.ts';
import { reembed } from '../api/client.ts';

/** The task that keeps the old index of a reindex current, or deletes it later; disabled if there is none. */
export function retireQuery({ data: { retireTask } }: Tracker) {
  return queryOptions({
    queryKey: ['retire', retireTask],
    queryFn: () => reembed.tasks.info(String(retireTask)),
    enabled: typeof retireTask === 'string',
    refetchInterval: 5_000,
    retry: false,
  });
}
