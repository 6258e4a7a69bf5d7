import { type RawBuilder, sql } from 'kysely';
import { isDistributed } from '../citus/layout.ts';
import { hasFewPassing, spreadNearestOfAll } from '../citus/nearest.ts';
import type { Trx } from '../database.ts';
import { found, type Neighbor, type Neighborhood } from '../neighborhood.ts';
import { tablesOf } from '../partitions.ts';
import type { IndexRow } from '../schema.ts';
import { storedDistance } from '../vector-expressions.ts';

type Row = Neighbor | { id: null };

/**
 * Compares the parts that pass the filter if there are at most `maxParts`, and returns the nearest objects, best first:
 * an exact result. Returns null if there are more; counting stops there. The objects are found by their metadata and the
 * parts by their objects, so the time depends on how many pass and not on the size of the index. Without `isLookedUp`
 * all objects are read.
 */
export async function nearestOfFew(
  trx: Trx,
  index: IndexRow,
  wanted: Neighborhood,
  { maxParts, isLookedUp }: { maxParts: number; isLookedUp: boolean },
): Promise<Neighbor[] | null> {
  if (await isDistributed(trx)) {
    return (await hasFewPassing(trx, index, wanted, maxParts)) ? spreadNearestOfAll(trx, index, wanted) : null;
  }
  const { objects, parts } = tablesOf(index.no);
  const distance = storedDistance(index, wanted.vector);
  // Rolling back restores the settings, which leave Postgres one plan, whatever it assumes about the filter.
  await sql`savepoint of_few`.execute(trx);
  await sql`
    select set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
      set_config('jit', 'off', true), set_config('enable_seqscan', ${isLookedUp ? 'off' : 'on'}, true)`.execute(trx);
  // The table has objects of one index only. A condition on its number would offer the primary key as another way.
  const { rows } = await sql<Row>`
    with passing as materialized (
      select o.object_id as id
      from ${objects} o
      where ${found(wanted)}
      limit ${maxParts + 1}
    ),
    counted as materialized (
      select case when objects.count > ${maxParts} then objects.count else first.count end as parts
      from (select count(*) as count from passing) objects
      cross join lateral (
        select count(*) as count
        from (
          select 1
          from passing
          join ${parts} p on p.index_no = ${index.no} and p.object_id = passing.id
          where objects.count <= ${maxParts} -- each has a part: more objects need no count of their parts
          limit ${maxParts + 1}
        ) found
      ) first
    ),
    compared as (
      select p.object_id as id, ${distance} as distance, p.part, p.is_average
      from passing
      join ${parts} p on p.index_no = ${index.no} and p.object_id = passing.id
      where (select parts from counted) <= ${maxParts}
    ),
    best as (${bestOfEach(wanted)}),
    nearest as (
      select id, distance, part
      from best
      order by distance, id, part
      limit ${wanted.limit}
    )
    select id, distance, part from nearest
    union all
    select null, null, null from counted where parts > ${maxParts}
    order by distance, id, part`.execute(trx);
  await sql`rollback to savepoint of_few`.execute(trx);
  return rows.some(({ id }) => id === null) ? null : (rows as Neighbor[]);
}

/** The neighbors among the `compared` parts: each object with its nearest part, or each part, without averages. */
function bestOfEach({ group }: Neighborhood): RawBuilder<unknown> {
  if (group === 'part') {
    return sql`
      select id, distance, part
      from compared
      where not is_average and distance <> 'NaN'`;
  }
  return sql`
    select distinct on (id) id, distance, case when is_average then null else part end as part
    from compared
    where distance <> 'NaN' -- the angle to a vector of zeros
    order by id, distance, compared.part`;
}
