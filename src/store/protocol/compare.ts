import { sql } from 'kysely';
import { textArray } from '../binary.ts';
import type { Db } from '../database.ts';
import { tablesOf } from '../partitions.ts';

/** What an object must be. */
export interface ExpectedObject {
  id: string;
  /** SHA-256 of the payload, which is a text, in hexadecimal; null: the payload is not compared. */
  digest: string | null;
  /** JSON, as it would be written. */
  metadata: string;
  uri: string | null;
}

/** `failed`: it is stored, but without vectors. The others say what differs. */
export type ObjectState = 'absent' | 'failed' | 'text' | 'metadata' | 'uri' | 'same';

export interface ComparedObject {
  id: string;
  state: ObjectState;
  /** Number of its last change; null if the index has never had it. */
  change: number | null;
}

/**
 * Compares objects with what they must be. The database compares what is stored, by a hash of the payload, so that what
 * was changed by hand is seen and only small results are sent.
 */
export async function compareObjects(
  db: Db,
  indexNo: number,
  expected: readonly ExpectedObject[],
): Promise<ComparedObject[]> {
  if (expected.length === 0) return [];
  const { rows } = await sql<ComparedObject>`
    select w.id, o.change,
      case
        when o.object_id is null or o.deleted then 'absent'
        when o.failed then 'failed'
        when o.uri is distinct from w.uri then 'uri'
        when w.digest is not null and (
          jsonb_typeof(o.payload) is distinct from 'string'
          or encode(sha256(convert_to(o.payload #>> '{}', 'UTF8')), 'hex') <> w.digest
        ) then 'text'
        when o.metadata <> w.metadata::jsonb then 'metadata'
        else 'same'
      end as state
    from unnest(
      ${textArray(expected.map(({ id }) => id))}::text[],
      ${textArray(expected.map(({ digest }) => digest))}::text[],
      ${textArray(expected.map(({ metadata }) => metadata))}::text[],
      ${textArray(expected.map(({ uri }) => uri))}::text[]
    ) as w (id, digest, metadata, uri)
    left join ${tablesOf(indexNo).objects} o on o.index_no = ${indexNo} and o.object_id = w.id`.execute(db);
  return rows;
}
