import { sql } from 'kysely';
import { resolveVectorIndex } from '../../contract/vector-index.ts';
import { isDistributed } from '../citus/layout.ts';
import { estimatedRowsOfShards } from '../citus/sizes.ts';
import type { Db } from '../database.ts';
import { listIndexes } from '../indexes.ts';
import type { IndexRow } from '../schema.ts';
import { hasParts, isVectorIndexReady } from '../vector-index.ts';

const IN_SCHEMA = sql`c.relnamespace = 'reembed'::regnamespace`;
const OF_AN_INDEX = sql`c.relkind = 'r' and c.relname ~ '^(objects|parts)_[0-9]+$'`;

/** Checks of the tables of indexes; each returns what it found, one text for each thing. */
export const tableChecks = {
  async indexInvalid(db: Db): Promise<string[]> {
    const { rows } = await sql<{ name: string }>`
      select c.relname as name
      from pg_index i
      join pg_class c on c.oid = i.indexrelid
      where ${IN_SCHEMA}
        and not i.indisvalid
        and not exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid)
      order by 1`.execute(db);
    return rows.map(({ name }) => `reembed.${name}`);
  },

  async keyMissing(db: Db): Promise<string[]> {
    const { rows } = await sql<{ name: string }>`
      select c.relname as name
      from pg_class c
      where ${IN_SCHEMA}
        and ${OF_AN_INDEX}
        and not exists (
          select from pg_index i where i.indrelid = c.oid and i.indisprimary and i.indisvalid
        )
      order by 1`.execute(db);
    return rows.map(({ name }) => `reembed.${name}`);
  },

  async tablesOrphaned(db: Db): Promise<string[]> {
    const { rows } = await sql<{ name: string }>`
      select c.relname as name
      from pg_class c
      where ${IN_SCHEMA}
        and ${OF_AN_INDEX}
        and not exists (
          select from reembed.indexes i where c.relname in ('objects_' || i.no, 'parts_' || i.no)
        )
      order by 1`.execute(db);
    return rows.map(({ name }) => `reembed.${name}`);
  },

  async tablesMissing(db: Db): Promise<string[]> {
    const { rows } = await sql<{ name: string }>`
      select i.name
      from reembed.indexes i
      where i.state = 'active'
        and (
          to_regclass('reembed.objects_' || i.no) is null
          or to_regclass('reembed.parts_' || i.no) is null
        )
      order by 1`.execute(db);
    return rows.map(({ name }) => `the index ${name}`);
  },
};

/** Which of these indexes have enough parts for an HNSW index but none that is ready. */
export async function withoutVectorIndex(db: Db, indexes: readonly IndexRow[], atLeast: number): Promise<string[]> {
  const found: string[] = [];
  for (const index of indexes) {
    if (await isVectorIndexReady(db, index)) continue;
    if (await hasParts(db, index, atLeast)) found.push(`the index ${index.name}`);
  }
  return found;
}

/** Which of these indexes have more dimensions than pgvector can index. */
export function beyondVectorIndex(indexes: readonly IndexRow[]): string[] {
  return indexes
    .filter((index) => index.vectorIndex?.kind !== 'none' && resolveVectorIndex(index).kind === 'none')
    .map(({ name, model }) => `the index ${name} has ${model.dimensions} dimensions`);
}

/** Returns how many parts an index has, as of the last vacuum or analyze; 0 if there was none yet. */
export async function estimatedParts(db: Db, indexNo: number): Promise<number> {
  if (await isDistributed(db)) return estimatedRowsOfShards(db, `reembed.parts_${indexNo}`);
  const { rows } = await sql<{ parts: number }>`
    select greatest(c.reltuples, 0)::float8 as parts
    from pg_class c
    where c.oid = to_regclass(${`reembed.parts_${indexNo}`})`.execute(db);
  return rows[0]?.parts ?? 0;
}

/** Lists the indexes that are not being deleted and have their tables. */
export async function listWhole(db: Db): Promise<IndexRow[]> {
  const { rows } = await sql<{ no: number }>`
    select no
    from reembed.indexes
    where to_regclass('reembed.objects_' || no) is not null and to_regclass('reembed.parts_' || no) is not null`.execute(
    db,
  );
  const whole = new Set(rows.map(({ no }) => no));
  return (await listIndexes(db)).filter(({ no, state }) => state === 'active' && whole.has(no));
}
