import { type RawBuilder, sql } from 'kysely';
import type { Versioning } from '../../contract/indexes.ts';
import { type Db, type Trx, transaction } from '../database.ts';
import { tablesOf } from '../partitions.ts';
import type { Pair } from './copy.ts';
import { holdGateShared } from './gate.ts';
import { requireLock } from './locks.ts';
import { deleteParts } from './object-parts.ts';

/** The destination's own writes that a copy of the source does not overwrite. */
export interface OwnContent {
  /** Objects with a higher version than in the source; with external versions, also other content at the same one. */
  newer: number;
  /** Live objects that do not exist in the source. */
  unknown: number;
  /** A few ids of both, in key order. */
  examples: string[];
}

interface Origin {
  /** Numbers of the source and of the indexes that it replaced, directly or not: the source holds their content. */
  sources: number[];
  /** The source holds the destination's changes up to this one. */
  handedOver: number;
  versioning: Versioning;
}

/** Finds which content of the destination came from its source or was handed over to it. */
async function originOf(db: Db | Trx, pair: Pair): Promise<Origin> {
  const { rows } = await sql<Origin>`
    with recursive sources (no) as (
      select ${pair.sourceNo}::int
      union
      select i.no
      from reembed.indexes i
      join sources on i.replaced_by = sources.no
    )
    select
      array(select no from sources) as sources,
      case when d.replaced_by in (select no from sources) then d.replaced_change else 0 end as "handedOver",
      d.versioning
    from reembed.indexes d
    where d.no = ${pair.destNo}`.execute(db);
  return rows[0] ?? { sources: [pair.sourceNo], handedOver: 0, versioning: 'internal' };
}

/** True for an object `d` that the destination's own writes made and that was not handed over since. */
const isOwn = ({ sources, handedOver }: Origin): RawBuilder<unknown> => sql`
  (d.change > ${handedOver} and (d.copied_from is null or d.copied_from <> all(${sources}::int[])))`;

/** True for a `d` that a conditional copy of `s` leaves unchanged although it differs from the source. */
const isAhead = (origin: Origin): RawBuilder<unknown> => sql`
  case
    when s.version is null then not d.deleted
    when d.version = s.version then ${origin.versioning === 'external' ? differsAtSameVersion(origin) : sql`false`}
    else d.version > s.version
  end`;

/** An external version may stand for different content in each index. An internal one never does. */
const differsAtSameVersion = (origin: Origin) => sql`
  ${isOwn(origin)} and (d.deleted, d.payload, d.metadata) is distinct from (s.deleted, s.payload, s.metadata)`;

/** Joins the destination's objects with the source's, looked up by key so that a page reads only a page. */
const joinBack = (pair: Pair) => sql`
  ${tablesOf(pair.destNo).objects} d
  left join lateral (
    select version, deleted, payload, metadata
    from ${tablesOf(pair.sourceNo).objects}
    where index_no = ${pair.sourceNo} and object_id = d.object_id
    limit 1
  ) s on true`;

/** Counts objects of the destination's own writes that a copy of the source would neither overwrite nor remove. */
export async function findOwnContent(db: Db, pair: Pair): Promise<OwnContent> {
  const origin = await originOf(db, pair);
  const own = sql`d.index_no = ${pair.destNo} and ${isOwn(origin)} and ${isAhead(origin)}`;
  const { rows } = await sql<Omit<OwnContent, 'examples'>>`
    select
      count(*) filter (where s.version is not null) as newer,
      count(*) filter (where s.version is null) as unknown
    from ${joinBack(pair)}
    where ${own}`.execute(db);
  const found = rows[0] ?? { newer: 0, unknown: 0 };
  if (found.newer + found.unknown === 0) return { ...found, examples: [] };
  const { rows: examples } = await sql<{ id: string }>`
    select d.object_id as id
    from ${joinBack(pair)}
    where ${own}
    order by d.object_id
    limit 5`.execute(db);
  return { ...found, examples: examples.map(({ id }) => id) };
}

export interface Removed {
  removed: number;
  /** Key of the last object that was checked; null if nothing is left. */
  after: string | null;
}

/**
 * Removes from the destination, in key order after a key, what the source no longer holds: copies and forwards from a
 * previous rebuild, for instance of an object whose tombstone in the source is gone. The destination's own writes stay
 * unless `own` is set. Leaves no tombstone, so that late writes are judged here as in the source. Removes only the row
 * that was read: a forward may bring a newer one at the same time. Error: `LockLost`.
 */
export async function removeLeftOvers(
  db: Db,
  lock: string,
  pair: Pair,
  options: { own: boolean; after: string | null; limit: number },
): Promise<Removed> {
  const { own, after, limit } = options;
  const dest = tablesOf(pair.destNo);
  return transaction(db, async (trx) => {
    await holdGateShared(trx, pair.destNo);
    await requireLock(trx, lock, { hold: true });
    const origin = await originOf(trx, pair);
    const from = after === null ? sql`` : sql`and d.object_id > ${after}::text collate "C"`;
    const { rows: found } = await sql<{ id: string; change: number }>`
      select d.object_id as id, d.change
      from ${joinBack(pair)}
      where d.index_no = ${pair.destNo} ${from}
        and ${isAhead(origin)}
        and ${own ? sql`true` : sql`not ${isOwn(origin)}`}
      order by d.object_id
      limit ${limit}`.execute(trx);
    if (found.length === 0) return { removed: 0, after: null };
    // The destination no longer holds everything that other indexes handed over to it.
    if (own) await sql`update reembed.indexes set replaced_by = null where replaced_by = ${pair.destNo}`.execute(trx);
    const { rows } = await sql<{ id: string }>`
      delete from ${dest.objects} d
      using unnest(
        ${found.map(({ id }) => id)}::text[],
        ${found.map(({ change }) => change)}::bigint[]
      ) as found (id, change)
      where d.index_no = ${pair.destNo}
        and d.object_id = any(${found.map(({ id }) => id)}::text[])
        and d.object_id = found.id
        and d.change = found.change
      returning d.object_id as id`.execute(trx);
    const ids = rows.map(({ id }) => id);
    await deleteParts(trx, pair.destNo, ids);
    return { removed: ids.length, after: found.length < limit ? null : (found.at(-1)?.id ?? null) };
  });
}

/**
 * Records that, when an alias moved, the new index had all changes of the old one up to `lastChange`; under both gates.
 */
export async function noteReplaced(trx: Trx, no: number, replacedBy: number, lastChange: number): Promise<void> {
  await sql`
    update reembed.indexes set
      replaced_by = ${replacedBy},
      replaced_change = ${lastChange}
    where no = ${no}`.execute(trx);
}

/** Finds objects that came from the source and that the source has deleted and forgotten. */
export async function findForgotten(db: Db | Trx, pair: Pair): Promise<{ objects: number; examples: string[] }> {
  const origin = await originOf(db, pair);
  const { rows } = await sql<{ objects: number; examples: string[] | null }>`
    select count(*) as objects, (array_agg(id order by id))[1:5] as examples
    from (
      select d.object_id as id
      from ${tablesOf(pair.destNo).objects} d
      where d.index_no = ${pair.destNo} and not d.deleted and not ${isOwn(origin)}
        and not exists (
          select from ${tablesOf(pair.sourceNo).objects} s
          where s.index_no = ${pair.sourceNo} and s.object_id = d.object_id
        )
    ) forgotten`.execute(db);
  return { objects: rows[0]?.objects ?? 0, examples: rows[0]?.examples ?? [] };
}
