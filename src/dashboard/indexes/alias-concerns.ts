import type { IndexInfo } from '../../contract/indexes.ts';
import { count } from '../ui/format.ts';

/** Returns reasons against pointing an alias to `after` instead of `before`, if there is one. */
export function concernsOf(before: IndexInfo | undefined, after: IndexInfo): string[] {
  const { name, state, objects, parts, failed, estimated, lock } = after;
  const concerns: string[] = [];
  if (state === 'deleting') concerns.push(`${name} is being deleted`);
  if (objects === 0) concerns.push(`${name} is empty: searches find nothing`);
  else if (parts === 0) concerns.push(`${name} has no vectors: searches find nothing`);
  if (before && objects > 0 && objects < before.objects) {
    const fewer = `${count(objects, estimated)} instead of ${count(before.objects, before.estimated)}`;
    concerns.push(`${name} has fewer objects: ${fewer}`);
  }
  if (failed > (before?.failed ?? 0)) concerns.push(`${name} has ${count(failed, estimated)} objects without vectors`);
  if (lock && !lock.mirror && lock.dest === name) concerns.push(`${name} is still being built from ${lock.source}`);
  return concerns;
}
