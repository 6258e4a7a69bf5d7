import { useQuery } from '@tanstack/react-query';
import type { TaskFilter, TaskRow } from '../../client/client.ts';
import { reembed } from '../api/client.ts';

/** Open tasks that are looked at; pinned are the first of them. */
const OPEN = 100;
const MAX_PINNED = 8;
/** A task that is younger is at the top of the list anyway, and most end sooner. */
const MIN_AGE_MS = 10_000;

/** What an operator looks at first comes first. */
const URGENCY: Partial<Record<TaskRow['status'], number>> = { paused: 0, failed: 1, processing: 2 };

/** Returns the tasks that run or stand still, which the list shows above the others; `filter` has no status. */
export function usePinned(filter: TaskFilter, enabled: boolean): readonly TaskRow[] {
  const { data } = useQuery({
    queryKey: ['pinned', filter],
    queryFn: () => reembed.tasks.page({ ...filter, open: true, limit: OPEN }),
    refetchInterval: 3_000,
    placeholderData: (before) => before,
    enabled,
  });
  if (!enabled || !data) return [];
  const urgency = ({ status, type }: TaskRow) => (type === 'reindex' ? -1 : (URGENCY[status] ?? Number.NaN));
  return data.tasks
    .filter((task) => !Number.isNaN(urgency(task)) && Date.now() - Date.parse(task.createTime ?? '') > MIN_AGE_MS)
    .sort((a, b) => urgency(a) - urgency(b))
    .slice(0, MAX_PINNED);
}
