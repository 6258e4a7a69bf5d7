import type { IndexInfo } from '../../contract/indexes.ts';
import type { Tracker } from '../../contract/tasks.ts';

/** Returns the name to write to an index with: an alias, so that a write during a switch reaches the new index too. */
export const writtenAs = (index: Pick<IndexInfo, 'name' | 'aliases'>): string => index.aliases[0] ?? index.name;

/** Throws what went wrong unless a write of one object is done. */
export function requireWritten({ id, status, detail, progress, errors }: Tracker): void {
  if (status === 'done' && progress.failed === 0) return;
  if (status === 'done') throw new Error(`It could not be embedded. The failed items of the task ${id} say why.`);
  throw new Error(`The task ${id} is ${status}: ${errors[0]?.message ?? detail}`);
}
