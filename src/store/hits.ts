import { sql } from 'kysely';
import { LIMITS } from '../contract/limits.ts';
import type { Hit } from '../contract/objects.ts';
import type { Trx } from './database.ts';
import type { Neighbor } from './nearest.ts';
import { tablesOf } from './partitions.ts';
import type { IndexRow } from './schema.ts';

interface Content extends Pick<Hit, 'id' | 'version' | 'payload' | 'metadata'> {
  hasPayload: boolean;
  hasMetadata: boolean;
}

/**
 * Reads the neighbors as hits, in their order. Omits payload and metadata that exceed the byte limit of a response, and
 * marks those hits. Postgres walks from the best hit to the last, and prints at most twice these bytes.
 */
export async function readHits(
  trx: Trx,
  index: IndexRow,
  neighbors: readonly Neighbor[],
  bytes: number = LIMITS.answerBytes,
): Promise<Hit[]> {
  const { objects } = tablesOf(index.no);
  const { rows } = await sql<Content>`
    with recursive asked as materialized (
      select ${neighbors.map(({ id }) => id)}::text[] as ids
    ),
    walk as (
      select 0 as place, null::text as id, null::bigint as version, null::text as metadata, null::text as payload,
        true as has_metadata, true as has_payload, 0::bigint as used, 0::bigint as seen
      union all
      select walk.place + 1, ids[walk.place + 1], o.version,
        case when has.metadata then o.metadata end,
        case when has.payload then o.payload end,
        has.metadata,
        has.payload,
        has.used + case when has.payload then size.payload else 0 end,
        walk.seen + size.metadata + size.payload
      from walk
      cross join asked
      cross join lateral (
        select version,
          case when walk.seen < ${2 * bytes}::bigint then metadata::text end as metadata,
          case when walk.seen < ${2 * bytes}::bigint then payload::text end as payload
        from ${objects}
        where index_no = ${index.no} and object_id = ids[walk.place + 1]
        offset 0 -- prints each value once
      ) o
      cross join lateral (
        select coalesce(octet_length(o.metadata), 0) as metadata, coalesce(octet_length(o.payload), 0) as payload
      ) size
      cross join lateral (
        select fits.metadata, walk.used + fits.bytes as used,
          o.payload is not null and walk.used + fits.bytes + size.payload <= ${bytes}::bigint as payload
        from (
          select f.metadata, case when f.metadata then size.metadata else 0 end as bytes
          from (select o.metadata is not null and walk.used + size.metadata <= ${bytes}::bigint as metadata) f
        ) fits
      ) has
      where walk.place < cardinality(ids)
    )
    select id, version, coalesce(metadata, '{}')::json as metadata, payload::json as payload,
      has_metadata as "hasMetadata", has_payload as "hasPayload"
    from walk
    where place > 0
    order by place`.execute(trx);
  const contents = new Map(rows.map((row) => [row.id, row]));
  return neighbors.flatMap(({ id, distance, part }) => {
    const content = contents.get(id);
    if (!content) return [];
    const { hasPayload, hasMetadata, ...rest } = content;
    const omitted = [...(hasPayload ? [] : ['payload' as const]), ...(hasMetadata ? [] : ['metadata' as const])];
    const hit = { ...rest, part, score: scoreOf(index, distance) };
    return [omitted.length > 0 ? { ...hit, omitted } : hit];
  });
}

/** Converts a distance, smaller for nearer objects, to a score, which is larger. */
export function scoreOf(index: Pick<IndexRow, 'metric'>, distance: number): number {
  return index.metric === 'cosine' ? 1 - distance : -distance;
}
