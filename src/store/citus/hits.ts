import { type RawBuilder, sql } from 'kysely';
import type { WantedFields } from '../../contract/hit-fields.ts';
import type { Json } from '../../contract/json.ts';
import type { Hit } from '../../contract/objects.ts';
import { textArray } from '../binary.ts';
import type { Trx } from '../database.ts';
import { textColumns, wantedColumn } from '../hit-columns.ts';
import type { Neighbor } from '../neighborhood.ts';
import { tablesOf } from '../partitions.ts';
import type { IndexRow } from '../schema.ts';

/** What is read of a hit. */
export interface HitRow extends Pick<Hit, 'id' | 'version' | 'start' | 'end'> {
  payload: Json;
  metadata: Json;
  text: string | null;
  source: Json;
  hasPayload: boolean;
  hasMetadata: boolean;
  hasText: boolean;
}

interface Sizes extends Pick<HitRow, 'id' | 'version' | 'start' | 'end'> {
  part: number | null;
  metadataBytes: number;
  payloadBytes: number;
  /** Null where Postgres cannot cut the text. */
  textBytes: number | null;
  sourceBytes: number;
}

type Limits = { fields: WantedFields; bytes: number };

/**
 * Reads hits of a distributed index, in their order, with the same limits as on one server: first the sizes, then what
 * fits. Citus cannot walk from hit to hit.
 */
export async function spreadHitRows(
  trx: Trx,
  index: IndexRow,
  neighbors: readonly Neighbor[],
  { fields, bytes }: Limits,
): Promise<{ neighbor: Neighbor; row: HitRow }[]> {
  if (neighbors.length === 0) return [];
  const sizes = await readSizes(trx, index, neighbors, fields);
  const chosen = chooseFitting(neighbors, sizes, { fields, bytes });
  const read = await readContents(
    trx,
    index,
    chosen.map(({ row }) => row),
    fields,
  );
  // The nodes have no common snapshot: what was deleted since it was found is no hit.
  return chosen.flatMap(({ neighbor, row }, at) => {
    const contents = read.get(at);
    return contents ? [{ neighbor, row: { ...row, ...contents } }] : [];
  });
}

async function readSizes(
  trx: Trx,
  index: IndexRow,
  neighbors: readonly Neighbor[],
  fields: WantedFields,
): Promise<Map<string, Sizes>> {
  const { objects, parts } = tablesOf(index.no);
  const numbers = [...new Set(neighbors.flatMap(({ part }) => part ?? []))];
  const { text, source } = textColumns(fields);
  const { rows } = await sql<Sizes>`
    select o.object_id as id, o.version, range.part, range.first as start, range.past as "end",
      coalesce(octet_length(${wantedColumn('metadata', fields.metadata)}), 0) as "metadataBytes",
      coalesce(octet_length(${wantedColumn('payload', fields.payload)}), 0) as "payloadBytes",
      octet_length(${text}) as "textBytes",
      coalesce(octet_length(${source}), 0) as "sourceBytes"
    from ${objects} o
    left join (
      select object_id, part, lower(text_range) as first, upper(text_range) as past
      from ${parts}
      where index_no = ${index.no} and part = any(${numbers}::int[])
    ) range on range.object_id = o.object_id
    where o.index_no = ${index.no} and o.object_id = any(${textArray(neighbors.map(({ id }) => id))}::text[])`.execute(
    trx,
  );
  const found = new Map<string, Sizes>();
  for (const row of rows) {
    found.set(keyOf(row), row);
    // Of an average, and of a part that is gone.
    found.set(keyOf({ id: row.id, part: null }), { ...row, part: null, start: null, end: null, textBytes: null });
  }
  return found;
}

const keyOf = ({ id, part }: Pick<Neighbor, 'id' | 'part'>) => `${part ?? ''} ${id}`;

/** Decides in the order of the hits what fits into the limit. */
function chooseFitting(
  neighbors: readonly Neighbor[],
  sizes: ReadonlyMap<string, Sizes>,
  { fields, bytes }: Limits,
): { neighbor: Neighbor; row: HitRow }[] {
  let used = 0;
  let seen = 0;
  return neighbors.flatMap((neighbor) => {
    const size = sizes.get(keyOf(neighbor)) ?? sizes.get(keyOf({ ...neighbor, part: null }));
    if (size === undefined) return [];
    const { version, start, end } = size;
    const isRead = seen < 2 * bytes;
    // A UTF-16 code unit takes three bytes at most.
    const textBytes = size.textBytes ?? (fields.text ? 3 * ((end ?? 0) - (start ?? 0)) : 0);
    const fits = (ofIt: number) => {
      const isFitting = isRead && used + ofIt <= bytes;
      if (isFitting) used += ofIt;
      return isFitting;
    };
    const [hasMetadata, hasText, hasPayload] = [fits(size.metadataBytes), fits(textBytes), fits(size.payloadBytes)];
    const sourceBytes = size.textBytes === null ? size.sourceBytes : 0;
    if (isRead) seen += size.metadataBytes + size.payloadBytes + textBytes + sourceBytes;
    const nothing = { payload: null, metadata: {}, text: null, source: null };
    const row: HitRow = { id: neighbor.id, version, start, end, ...nothing, hasMetadata, hasText, hasPayload };
    return [{ neighbor, row }];
  });
}

type Contents = Pick<HitRow, 'payload' | 'metadata' | 'text' | 'source'>;

async function readContents(
  trx: Trx,
  index: IndexRow,
  rows: readonly HitRow[],
  fields: WantedFields,
): Promise<Map<number, Contents>> {
  const { text, source } = textColumns(fields);
  const ifFits = (column: string, value: RawBuilder<unknown>) =>
    sql`case when range.${sql.ref(column)} then ${value} end`;
  const { rows: read } = await sql<Contents & { place: number }>`
    select read.place, read.metadata, read.payload, read.text, case when read.text is null then read.source end as source
    from (
      select range.place,
        coalesce(${ifFits('has_metadata', wantedColumn('metadata', fields.metadata))}, '{}')::json as metadata,
        (${ifFits('has_payload', wantedColumn('payload', fields.payload))})::json as payload,
        ${ifFits('has_text', text)} as text,
        (${ifFits('has_text', source)})::json as source
      from ${tablesOf(index.no).objects} o
      join unnest(
        ${rows.map((_, at) => at)}::int[],
        ${textArray(rows.map(({ id }) => id))}::text[],
        ${rows.map(({ start }) => start)}::int[],
        ${rows.map(({ end }) => end)}::int[],
        ${rows.map((row) => row.hasMetadata)}::boolean[],
        ${rows.map((row) => row.hasPayload)}::boolean[],
        ${rows.map((row) => row.hasText)}::boolean[]
      ) as range (place, id, first, past, has_metadata, has_payload, has_text) on range.id = o.object_id
      where o.index_no = ${index.no}
    ) read`.execute(trx);
  return new Map(read.map(({ place, ...contents }) => [place, contents]));
}
