import { sql } from 'kysely';
import type { Db } from '../src/store/database.ts';
import { tablesOf } from '../src/store/partitions.ts';
import type { IndexRow } from '../src/store/schema.ts';

export interface RawCopy {
  db: Db;
  source: IndexRow;
  /** Base URL of the model up to and including `/v1`. */
  modelUrl: string;
  objects: number;
  dimensions: number;
}

export interface RawRow {
  id: string;
  version: number;
  payload: string;
}

export const RAW_BATCH = 256;

/**
 * The minimum work of a copy: reads by key, embeds, and writes with one conditional statement per batch, with
 * `inFlight` batches in flight. No locks, no versions to fence, no failures, nothing that survives a crash. Returns
 * seconds.
 */
export async function rawCopy(copy: RawCopy, inFlight: number): Promise<number> {
  const { db, objects, dimensions } = copy;
  await createRawTable(db, dimensions);
  const startMs = performance.now();
  const running = new Set<Promise<void>>();
  for (let after = ''; ; ) {
    const rows = await read(copy, after);
    const last = rows.at(-1);
    if (!last) break;
    after = last.id;
    const batch: Promise<void> = embedAndWrite(copy, rows).finally(() => running.delete(batch));
    running.add(batch);
    if (running.size >= inFlight) await Promise.race(running);
  }
  await Promise.all(running);
  const seconds = (performance.now() - startMs) / 1_000;
  await requireRawRows(db, objects);
  return seconds;
}

/** Creates the empty table that raw loops write to. */
export async function createRawTable(db: Db, dimensions: number): Promise<void> {
  await sql`drop table if exists bench_raw`.execute(db);
  await sql`
    create table bench_raw (
      id text collate "C" primary key, version bigint not null, payload jsonb, embedding vector(${sql.lit(dimensions)})
    )`.execute(db);
}

/** Throws unless exactly this many rows were written. */
export async function requireRawRows(db: Db, wanted: number): Promise<void> {
  const { rows } = await sql<{ written: number }>`select count(*) as written from bench_raw`.execute(db);
  if (Number(rows[0]?.written) !== wanted) throw new Error(`${rows[0]?.written} objects were written, not ${wanted}`);
}

async function read({ db, source }: RawCopy, after: string): Promise<RawRow[]> {
  const { rows } = await sql<RawRow>`
    select object_id as id, version, payload
    from ${tablesOf(source.no).objects}
    where index_no = ${sql.lit(source.no)} and object_id > ${after}
    order by object_id
    limit ${RAW_BATCH}`.execute(db);
  return rows;
}

/** Embeds a batch and writes it with one conditional statement. */
export async function embedAndWrite({ db, modelUrl }: Pick<RawCopy, 'db' | 'modelUrl'>, rows: RawRow[]): Promise<void> {
  const response = await fetch(`${modelUrl}/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'bench', input: rows.map((row) => row.payload) }),
  });
  const { data } = (await response.json()) as { data: { embedding: number[] }[] };
  await sql`
    insert into bench_raw as stored (id, version, payload, embedding)
    select *
    from unnest(
      ${rows.map((row) => row.id)}::text[],
      ${rows.map((row) => row.version)}::bigint[],
      ${rows.map((row) => JSON.stringify(row.payload))}::jsonb[],
      ${data.map(({ embedding }) => JSON.stringify(embedding))}::vector[]
    )
    on conflict (id) do update set
      version = excluded.version, payload = excluded.payload, embedding = excluded.embedding
    where stored.version < excluded.version`.execute(db);
}
