import type { IndexInfo } from '../../contract/indexes.ts';

/** In the address: no second index, although there is one to compare with. */
export const NO_INDEX = '-';

/**
 * Returns the index to compare another one with: the other one of its reindex, or another version of it, such as `docs-v2`
 * for `docs-v1`; empty if there is none.
 */
export function partnerOf(given: string, indexes: readonly IndexInfo[]): string {
  const index = indexes.find(({ name, aliases }) => name === given || aliases.includes(given));
  if (!index) return '';
  const { name, lock } = index;
  if (lock) return lock.source === name ? lock.dest : lock.source;
  const others = indexes.filter((one) => one.name !== name && stemOf(one.name) === stemOf(name));
  return others.at(-1)?.name ?? '';
}

const stemOf = (name: string) => name.replace(/-v\d{1,9}$/, '');
