import { sql } from 'kysely';
import type { Db } from '../database.ts';
import { tablesOf } from '../partitions.ts';
import { IS_BEHIND, joinPair, type Pair } from './copy.ts';

export interface Comparison {
  /** Objects of the source, changed up to the mark, that the destination lacks or has older. */
  behind: number;
  /** A few of their ids. */
  examples: string[];
  /** Live objects of each side now. */
  source: number;
  dest: number;
  /** Objects of the destination that could not be embedded. */
  failed: number;
  /** Live, embedded objects of the destination that have no part: a search can not find them. */
  withoutParts: number;
  /** Parts of the destination whose object is gone. */
  orphanedParts: number;
}

/** Compares a destination with its source: ids and versions up to a mark, counts, and parts. */
export async function compareIndexes(db: Db, pair: Pair, mark: number): Promise<Comparison> {
  const source = tablesOf(pair.sourceNo);
  const dest = tablesOf(pair.destNo);
  const { rows: behind } = await sql<{ objects: number; examples: string[] | null }>`
    select count(*) as objects, (array_agg(s.object_id order by s.object_id))[1:5] as examples
    from ${joinPair(pair)}
    where s.index_no = ${pair.sourceNo} and s.change <= ${mark} and ${IS_BEHIND}`.execute(db);
  const { rows: counts } = await sql<Omit<Comparison, 'behind' | 'examples'>>`
    select
      (select count(*) from ${source.objects} where index_no = ${pair.sourceNo} and not deleted) as source,
      (select count(*) from ${dest.objects} where index_no = ${pair.destNo} and not deleted) as dest,
      (select count(*) from ${dest.objects} where index_no = ${pair.destNo} and failed) as failed,
      (
        select count(*)
        from ${dest.objects} o
        where o.index_no = ${pair.destNo} and not o.deleted and not o.failed
          and not exists (
            select from ${dest.parts} p where p.index_no = ${pair.destNo} and p.object_id = o.object_id
          )
      ) as "withoutParts",
      (
        select count(*)
        from ${dest.parts} p
        where p.index_no = ${pair.destNo} and not exists (
          select from ${dest.objects} o
          where o.index_no = ${pair.destNo} and o.object_id = p.object_id and not o.deleted and not o.failed
        )
      ) as "orphanedParts"`.execute(db);
  return {
    behind: behind[0]?.objects ?? 0,
    examples: behind[0]?.examples ?? [],
    ...(counts[0] as Omit<Comparison, 'behind' | 'examples'>),
  };
}
