import { type RawBuilder, sql } from 'kysely';
import { jsonBytes } from '../../contract/json.ts';
import type { Metadata, Payload } from '../../contract/objects.ts';
import { tableSizeSql } from '../citus/sizes.ts';
import { type Db, readOnly, type Trx } from '../database.ts';
import { readTables, tablesOf } from '../partitions.ts';
import { IS_BEHIND } from '../protocol/copy.ts';
import { MAX_READ_WEIGHT, storedWeight } from '../read-size.ts';
import type { IndexRow } from '../schema.ts';

/** An object of the source, and what the destination has of it. */
export interface PlannedObject {
  id: string;
  /** Null if it could not be loaded. */
  payload: Payload | null;
  metadata: Metadata;
  /** Bytes of the payload as JSON. */
  bytes: number;
  /** See `storedWeight`: of payload and metadata. */
  weight: number;
  /** Parts with a vector of their own in the source. */
  parts: number;
  /** True if the destination lacks it, or has it older or failed. */
  behind: boolean;
  /** The hash of the content whose vectors the destination holds. */
  destHash: string | null;
}

export interface SampleLimits {
  seed: number;
  /** Max objects, bytes of JSON and milliseconds. */
  maxObjects: number;
  maxBytes: number;
  withinMs: number;
}

/** Max pages of the objects' table that are read to choose from: 16 MB. */
const MAX_PAGES = 2_000;
const PAGE = 50;
const STATEMENT_MS = 5_000;

interface Key {
  id: string;
  weight: number;
}

/**
 * Yields objects of the source in random order, at most some. Of a large table it reads a random choice of its pages
 * only, and of these the payloads of the chosen objects. Returns whether these are all objects. Error: `IndexNotFound`.
 */
export async function* sampleForPlan(
  db: Db,
  source: IndexRow,
  destNo: number | null,
  { seed, maxObjects, maxBytes, withinMs }: SampleLimits,
): AsyncGenerator<PlannedObject, { isWhole: boolean }> {
  const endMs = performance.now() + withinMs;
  const { keys, isWhole } = await readTables(source, () => chooseKeys(db, source.no, seed, maxObjects));
  let bytes = 0;
  for (const page of pagesOf(keys)) {
    if (bytes >= maxBytes || performance.now() >= endMs) return { isWhole: false };
    const objects = await readTables(source, () => readPage(db, source.no, destNo, page));
    for (const object of objects) {
      bytes += object.bytes;
      yield object;
    }
  }
  return { isWhole };
}

/** Cuts the keys into pages of bounded weight. */
function* pagesOf(keys: readonly Key[]): Generator<Key[]> {
  let page: Key[] = [];
  let weight = 0;
  for (const key of keys) {
    if (page.length > 0 && (page.length >= PAGE || weight + key.weight > MAX_READ_WEIGHT)) {
      yield page;
      page = [];
      weight = 0;
    }
    page.push(key);
    weight += key.weight;
  }
  if (page.length > 0) yield page;
}

async function chooseKeys(
  db: Db,
  sourceNo: number,
  seed: number,
  max: number,
): Promise<{ keys: Key[]; isWhole: boolean }> {
  return readOnly(db, STATEMENT_MS, async (trx) => {
    const { objects } = tablesOf(sourceNo);
    const bytes = await tableSizeSql(trx, `reembed.objects_${sourceNo}`, 'table');
    const { rows: sizes } = await sql<{ pages: number }>`
      select ${bytes} / current_setting('block_size')::int as pages`.execute(trx);
    const pages = sizes[0]?.pages ?? 0;
    const isSmall = pages <= MAX_PAGES;
    const percent = (100 * MAX_PAGES) / Math.max(1, pages);
    // By pages, not by rows: a choice of rows would read every page.
    const some = isSmall ? sql`` : sql`tablesample system (${percent}::real) repeatable (${seed}::int)`;
    const random = sql`md5(${String(seed)} || ':' || object_id), object_id`;
    const chosen = await readKeys(trx, sql`${objects} ${some}`, sourceNo, random, max + 1);
    // After mass deletions the chosen pages may be empty.
    const isEmpty = chosen.length === 0 && !isSmall;
    const keys = isEmpty ? await readKeys(trx, objects, sourceNo, sql`object_id`, max) : chosen.slice(0, max);
    return { keys, isWhole: isSmall && chosen.length <= max };
  });
}

async function readKeys(
  trx: Trx,
  from: RawBuilder<unknown>,
  sourceNo: number,
  order: RawBuilder<unknown>,
  max: number,
): Promise<Key[]> {
  const { rows } = await sql<Key>`
    select object_id as id, ${storedWeight(sql`payload`)} + ${storedWeight(sql`metadata`)} as weight
    from ${from}
    where index_no = ${sourceNo} and not deleted
    order by ${order}
    limit ${max}`.execute(trx);
  return rows;
}

type Read = Omit<PlannedObject, 'bytes' | 'weight'>;

async function readPage(db: Db, sourceNo: number, destNo: number | null, page: Key[]): Promise<PlannedObject[]> {
  const weights = new Map(page.map(({ id, weight }) => [id, weight]));
  const { objects, parts } = tablesOf(sourceNo);
  const dest =
    destNo === null
      ? sql`null::bigint as version, 0::bigint as deleted_version, false as deleted, false as failed, null::text as hash, null::text as original_id`
      : sql`* from ${tablesOf(destNo).objects} where index_no = ${destNo} and object_id = s.object_id limit 1`;
  const rows = await readOnly(db, STATEMENT_MS, async (trx) => {
    const read = await sql<Read>`
      select
        s.object_id as id,
        s.payload,
        s.metadata,
        (${IS_BEHIND} or (d.failed and d.version = s.version)) as behind,
        case when not d.deleted and not d.failed then d.hash end as "destHash",
        (
          select count(*)
          from ${parts} p
          where p.index_no = ${sourceNo} and p.object_id = s.object_id and not p.is_average
        ) as parts
      from ${objects} s
      left join lateral (select ${dest}) d on true
      where s.index_no = ${sourceNo} and s.object_id = any(${page.map(({ id }) => id)}::text[]) and not s.deleted`.execute(
      trx,
    );
    return read.rows;
  });
  return rows.map((row) => ({
    ...row,
    behind: row.behind === true,
    bytes: row.payload === null ? 0 : jsonBytes(row.payload),
    weight: weights.get(row.id) ?? 0,
  }));
}
