import type { QuerySetInfo } from '../../contract/query-sets.ts';

/** Says what a query set was made from. */
export function originText({ knownItem, sampled }: Pick<QuerySetInfo, 'knownItem' | 'sampled'>): string {
  if (knownItem) return `texts of ${knownItem.index}`;
  if (sampled) return `searches by ${sampled.alias}`;
  return 'given';
}
