import type { Db } from '../../../src/store/database.ts';
import { givenIndex, type Rig } from '../../support/rig.ts';

export const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;

export const items = (count: number, prefix = 'k') =>
  Array.from({ length: count }, (_, at) => ({ id: `${prefix}${at}`, payload: `text ${at} of ${prefix}` }));

let names = 0;

/** A pair of names, with an alias on the first, which has some objects. */
export async function givenPair(db: Db, rig: Rig, count = 20) {
  const no = ++names;
  const [source, dest, alias] = [`source-${no}`, `dest-${no}`, `alias-${no}`];
  await givenIndex(db, source, { alias });
  if (count > 0) await rig.run('upsert', { index: alias, items: items(count) });
  return { source, dest, alias };
}
