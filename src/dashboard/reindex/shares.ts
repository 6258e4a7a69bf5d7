import type { ReadsState } from '../../contract/read-shares.ts';
import type { Tracker } from '../../contract/tasks.ts';

/** Returns the shares of a task's shadow and canary reads; undefined if it has never had any. */
export function readsOf({ data }: Pick<Tracker, 'data'>): ReadsState | undefined {
  return data.reads as ReadsState | undefined;
}
