import { useQuery } from '@tanstack/react-query';
import { namesOf } from '../../contract/task-title.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { useAccess } from '../api/access.ts';
import { taskInputQuery } from '../api/queries.ts';

/** Returns a tracker with the index that a write names: only its input has it. */
export function useNamed(tracker: Tracker): Tracker {
  const { id, type, links } = tracker;
  const isMissing = (type === 'upsert' || type === 'delete') && namesOf(tracker).length === 0;
  const mayRead = useAccess().reasonNot('operate') === null;
  const { data } = useQuery({ ...taskInputQuery(id, links.runId), enabled: isMissing && mayRead });
  const { index } = (data?.input ?? {}) as { index?: unknown };
  return isMissing && typeof index === 'string' ? { ...tracker, indexes: [index] } : tracker;
}
