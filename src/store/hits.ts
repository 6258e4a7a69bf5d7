import { type RawBuilder, sql } from 'kysely';
import { ALL_FIELDS, type WantedFields } from '../contract/hit-fields.ts';
import type { Json } from '../contract/json.ts';
import { LIMITS } from '../contract/limits.ts';
import type { Hit, Metadata } from '../contract/objects.ts';
import { type HitRow as Row, spreadHitRows } from './citus/hits.ts';
import { isDistributed } from './citus/layout.ts';
import type { Trx } from './database.ts';
import { shapeOf, textColumns, wantedColumn } from './hit-columns.ts';
import type { Neighbor } from './neighborhood.ts';
import { tablesOf } from './partitions.ts';
import type { IndexRow } from './schema.ts';

/** A hit as Postgres can tell it. */
export interface FoundHit extends Hit {
  /** The payload that the text is still to be cut from, or as much of it as that needs. */
  source?: Json;
}

export interface HowToRead {
  /** Default: all. */
  fields?: WantedFields | undefined;
  /** Limit of payloads, metadata and texts; default: `LIMITS.answerBytes`. */
  bytes?: number | undefined;
}

/**
 * Reads the neighbors as hits, in their order, with the fields that are wanted. Omits what exceeds the byte limit of a
 * response, and marks those hits. Postgres walks from the best hit to the last, and prints at most twice these bytes.
 */
export async function readHits(
  trx: Trx,
  index: IndexRow,
  neighbors: readonly Neighbor[],
  { fields = ALL_FIELDS, bytes = LIMITS.answerBytes }: HowToRead = {},
): Promise<FoundHit[]> {
  if (await isDistributed(trx)) {
    const found = await spreadHitRows(trx, index, neighbors, { fields, bytes });
    return found.map(({ neighbor, row }) => hitOf(index, neighbor, row, fields));
  }
  const { rows } = await sql<Row>`
    with recursive asked as materialized (
      select ${neighbors.map(({ id }) => id)}::text[] as ids, ${neighbors.map(({ part }) => part)}::int[] as parts
    ),
    walk as (
      select 0 as place, null::text as id, null::bigint as version, null::text as metadata, null::text as payload,
        null::text as text, null::text as source, null::int as first, null::int as past,
        true as has_metadata, true as has_payload, true as has_text, 0::bigint as used, 0::bigint as seen
      union all
      select walk.place + 1, ids[walk.place + 1], o.version,
        case when metadata.fits then o.metadata end,
        case when payload.fits then o.payload end,
        case when text.fits then o.text end,
        case when text.fits then o.source end,
        range.first, range.past,
        metadata.fits, payload.fits, text.fits,
        payload.used,
        walk.seen + size.metadata + size.payload + size.text + coalesce(octet_length(o.source), 0)
      from walk
      cross join asked
      ${objectAt(index, sql`walk.place + 1`, { fields, bytes })}
      ${fitting('metadata', 'walk', bytes)}
      ${fitting('text', 'metadata', bytes)}
      ${fitting('payload', 'text', bytes)}
      where walk.place < cardinality(ids)
    )
    select id, version, coalesce(metadata, '{}')::json as metadata, payload::json as payload, text,
      source::json as source, first as start, past as "end",
      has_metadata as "hasMetadata", has_payload as "hasPayload", has_text as "hasText"
    from walk
    where place > 0
    order by place`.execute(trx);
  return rows.map((row, at) => hitOf(index, neighbors[at] as Neighbor, row, fields));
}

/** The object `o` at a place of the hits, the `range` of its part, and the `size` of what is read of both, in bytes. */
function objectAt(
  index: IndexRow,
  place: RawBuilder<unknown>,
  { fields, bytes }: Required<HowToRead> & { fields: WantedFields; bytes: number },
): RawBuilder<unknown> {
  const { objects, parts } = tablesOf(index.no);
  const isRead = sql`walk.seen < ${2 * bytes}::bigint`;
  const { text, source } = textColumns(fields);
  return sql`
    left join lateral (
      select lower(text_range) as first, upper(text_range) as past
      from ${parts}
      where index_no = ${index.no} and object_id = ids[${place}] and part = parts[${place}]
    ) range on true
    cross join lateral (
      select version, ${isRead} as is_read,
        case when ${isRead} then ${wantedColumn('metadata', fields.metadata)} end as metadata,
        case when ${isRead} then ${wantedColumn('payload', fields.payload)} end as payload,
        text,
        case when ${isRead} and text is null then ${source} end as source
      from ${objects}
      cross join lateral (select case when ${isRead} then ${text} end as text offset 0) cut
      where index_no = ${index.no} and object_id = ids[${place}]
      offset 0 -- prints each value once
    ) o
    cross join lateral (
      select coalesce(octet_length(o.metadata), 0) as metadata, coalesce(octet_length(o.payload), 0) as payload,
        -- A UTF-16 code unit takes three bytes at most.
        coalesce(octet_length(o.text), ${fields.text ? 3 : 0} * (range.past - range.first), 0) as text
    ) size`;
}

/** Whether one of the values `fits` beside those before it, and the bytes `used` by all of them. */
function fitting(value: 'metadata' | 'text' | 'payload', before: string, bytes: number): RawBuilder<unknown> {
  const size = sql.ref(`size.${value}`);
  const used = sql.ref(`${before}.used`);
  return sql`
    cross join lateral (
      select fits, ${used} + case when fits then ${size} else 0 end as used
      from (select o.is_read and ${used} + ${size} <= ${bytes}::bigint as fits) decided
    ) ${sql.ref(value)}`;
}

function hitOf(index: IndexRow, { distance, part }: Neighbor, row: Row, fields: WantedFields): FoundHit {
  const { id, version, start, end } = row;
  const payload = shapeOf(row.payload, fields.payload);
  const metadata = shapeOf(row.metadata, fields.metadata) as Metadata | undefined;
  const source = row.source ?? (fields.payload === 'all' ? row.payload : null);
  const isUncut = fields.text && row.text === null && end !== null;
  const omitted = [
    ...(fields.payload === 'none' || row.hasPayload ? [] : (['payload'] as const)),
    ...(fields.metadata === 'none' || row.hasMetadata ? [] : (['metadata'] as const)),
    ...(isUncut && (source === null || !row.hasText) ? (['text'] as const) : []),
  ];
  return {
    ...{ id, score: scoreOf(index, distance), part, version, start, end },
    ...(fields.text && { text: row.text }),
    ...(payload !== undefined && { payload }),
    ...(metadata !== undefined && { metadata }),
    ...(omitted.length > 0 && { omitted }),
    ...(isUncut && source !== null && row.hasText && { source }),
  };
}

/** Converts a distance, smaller for nearer objects, to a score, which is larger. */
export function scoreOf(index: Pick<IndexRow, 'metric'>, distance: number): number {
  return index.metric === 'cosine' ? 1 - distance : -distance;
}
