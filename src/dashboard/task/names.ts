import { useQuery } from '@tanstack/react-query';
import { namesOf } from '../../contract/task-title.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { useAccess } from '../api/access.ts';
import { taskInputQuery } from '../api/queries.ts';

/**
 * Returns a tracker with the index that a write names, or the name of a job that no worker has taken up: only the input has
 * it.
 */
export function useNamed(tracker: Tracker): Tracker {
  const { id, type, links, data: facts } = tracker;
  const isJob = type === 'job' && facts.name === undefined;
  const isWrite = (type === 'upsert' || type === 'delete') && namesOf(tracker).length === 0;
  const mayRead = useAccess().reasonNot('operate') === null;
  const { data } = useQuery({ ...taskInputQuery(id, links.runId), enabled: (isJob || isWrite) && mayRead });
  const { index, name } = (data?.input ?? {}) as { index?: unknown; name?: unknown };
  if (isJob && typeof name === 'string') return { ...tracker, data: { ...facts, name } };
  return isWrite && typeof index === 'string' ? { ...tracker, indexes: [index] } : tracker;
}
