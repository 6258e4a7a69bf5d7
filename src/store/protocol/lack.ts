import { type RawBuilder, sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import { isDistributed } from '../citus/layout.ts';
import type { Db, Trx } from '../database.ts';
import { IS_BEHIND, joinPair, lookUpPair, type Pair } from './copy.ts';
import { findForgotten } from './origins.ts';

/** What an index lacks compared with the one that an alias points to. */
export interface Lack {
  /** Objects and deletions that are missing or older. */
  behind: number;
  /** Objects that only the other index could embed: searches do not find them. */
  withoutVectors: number;
  /** Objects that were deleted in the other index and would reappear. */
  deleted: number;
  /** A few of their ids. */
  examples: string[];
  /** All of the other index's changes below this one are present; 0 if nothing is lacking. */
  firstChange: number;
}

export const isLacking = ({ behind, withoutVectors, deleted }: Lack): boolean => behind + withoutVectors + deleted > 0;

const IS_WITHOUT_VECTORS = sql`(d.failed is true and not d.deleted and not s.failed and not s.deleted)`;

/**
 * Finds which of the source's changes after a mark the destination lacks. Mark 0 means all changes, and also checks for
 * objects that would reappear. A deletion that the destination has forgotten because of its age does not count.
 */
export async function findLack(db: Db | Trx, pair: Pair, after: number): Promise<Lack> {
  const join = after === 0 ? joinPair(pair) : lookUpPair(pair);
  const { remembered, isForgotten } = await forgottenBy(db, pair.destNo);
  const lacking = sql`
    s.index_no = ${pair.sourceNo} and s.change > ${after}
    and ((${IS_BEHIND} and not ${isForgotten}) or ${IS_WITHOUT_VECTORS})`;
  const { rows } = await sql<Pick<Lack, 'behind' | 'withoutVectors' | 'firstChange'>>`
    select
      count(*) filter (where not ${IS_WITHOUT_VECTORS}) as behind,
      count(*) filter (where ${IS_WITHOUT_VECTORS}) as "withoutVectors",
      coalesce(min(s.change), 0) as "firstChange"
    from ${join} ${remembered}
    where ${lacking}`.execute(db);
  const forgotten = after === 0 ? await findForgotten(db, pair) : { objects: 0, examples: [] };
  const lack = { ...(rows[0] as (typeof rows)[number]), deleted: forgotten.objects, examples: forgotten.examples };
  if (lack.behind + lack.withoutVectors === 0) return lack;
  const { rows: examples } = await sql<{ id: string }>`
    select s.object_id as id
    from ${join} ${remembered}
    where ${lacking}
    order by s.change
    limit 5`.execute(db);
  return { ...lack, examples: [...examples.map(({ id }) => id), ...lack.examples].slice(0, 5) };
}

/**
 * Returns the condition for a deletion that the destination has forgotten because of its age, and a join that it needs.
 * Citus cannot look up the coordinator's table for a row of another node, so there it is joined.
 */
async function forgottenBy(
  db: Db | Trx,
  destNo: number,
): Promise<{ remembered: RawBuilder<unknown>; isForgotten: RawBuilder<unknown> }> {
  const isGone = sql`s.deleted and d.version is null`;
  if (await isDistributed(db)) {
    const index = await db
      .selectFrom('reembed.indexes')
      .select('removed_version')
      .where('no', '=', destNo)
      .executeTakeFirst();
    return {
      remembered: sql`
        left join (
          select object_id, version from reembed.removed_objects where index_no = ${destNo} offset 0
        ) removed on removed.object_id = s.object_id`,
      isForgotten: sql`(
        ${isGone} and (s.version <= ${index?.removed_version ?? 0}::bigint or coalesce(removed.version >= s.version, false))
      )`,
    };
  }
  const isForgotten = sql`(
    ${isGone}
    and (
      s.version <= (select removed_version from reembed.indexes where no = ${destNo})
      or exists (
        select from reembed.removed_objects removed
        where removed.index_no = ${destNo} and removed.object_id = s.object_id and removed.version >= s.version
      )
    )
  )`;
  return { remembered: sql``, isForgotten };
}

/** Says what the index lacks compared with the serving one. */
export function lackText(index: string, serving: string, lack: Lack): string {
  const parts = [
    lack.behind > 0 && `${lack.behind} objects or deletions of ${serving} are missing or older in ${index}`,
    lack.withoutVectors > 0 && `${lack.withoutVectors} objects have no vectors in ${index}`,
    lack.deleted > 0 && `${lack.deleted} objects that were deleted in ${serving} are still in ${index}`,
  ].filter((part) => part !== false);
  return `${parts.join('; ')}, for instance ${lack.examples.join(', ')}`;
}

/** Creates the error `NotCurrent`, which lists what the index lacks compared with the serving one. */
export function notCurrent(index: string, serving: string, lack: Lack): ReembedError {
  const message = `${lackText(index, serving, lack)}: reindex into it, or set force`;
  return new ReembedError('NotCurrent', message, { reason: 'not-current' });
}
