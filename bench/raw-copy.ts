import { sql } from 'kysely';
import type { Db } from '../src/store/database.ts';
import type { IndexRow } from '../src/store/schema.ts';

export interface RawCopy {
  db: Db;
  source: IndexRow;
  /** Base URL of the model up to and including `/v1`. */
  modelUrl: string;
  objects: number;
  dimensions: number;
}

interface Row {
  id: string;
  version: number;
  payload: string;
}

const BATCH = 256;

/**
 * The least that a copy can be: reads by key, embeds, and writes with one conditional statement per batch, with so many
 * batches in flight. No locks, no versions to fence, no failures, nothing that survives a crash. Returns seconds.
 */
export async function rawCopy(copy: RawCopy, inFlight: number): Promise<number> {
  const { db, objects, dimensions } = copy;
  await sql`drop table if exists bench_raw`.execute(db);
  await sql`
    create table bench_raw (
      id text collate "C" primary key, version bigint not null, payload jsonb, embedding vector(${sql.lit(dimensions)})
    )`.execute(db);
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
  const { rows } = await sql<{ copied: number }>`select count(*) as copied from bench_raw`.execute(db);
  if (Number(rows[0]?.copied) !== objects) throw new Error(`${rows[0]?.copied} objects were copied, not ${objects}`);
  return seconds;
}

async function read({ db, source }: RawCopy, after: string): Promise<Row[]> {
  const { rows } = await sql<Row>`
    select object_id as id, version, payload
    from reembed.objects
    where index_no = ${sql.lit(source.no)} and object_id > ${after}
    order by object_id
    limit ${BATCH}`.execute(db);
  return rows;
}

async function embedAndWrite({ db, modelUrl }: RawCopy, rows: Row[]): Promise<void> {
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
