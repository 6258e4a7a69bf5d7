import { type RawBuilder, sql } from 'kysely';
import type { Payload } from '../../contract/objects.ts';
import { FLOAT32_MAX } from '../../contract/vectors.ts';
import { textArray } from '../binary.ts';
import type { Db } from '../database.ts';
import { tablesOf } from '../partitions.ts';
import { MAX_READ_WEIGHT, storedWeight } from '../read-size.ts';
import type { IndexRow } from '../schema.ts';
import type { KeyRange } from './copy.ts';

/** What the tables hold of one object and its parts, as one statement sees it at one instant. */
export interface AuditFacts {
  id: string;
  /** Rows of the object; 0 if there are only parts. */
  rows: number;
  deleted: boolean;
  failed: boolean;
  /** Null for an object that is missing, deleted or failed; so is `payload`. */
  hash: string | null;
  payload: Payload | null;
  /** Numbers of the parts in order, without averages, and the ranges of the text that they stand for. */
  numbers: number[];
  starts: (number | null)[];
  ends: (number | null)[];
  /** Numbers of the averages. */
  averages: number[];
  /** Parts whose vector has another length, has no direction, or has numbers that are not finite. */
  otherLength: number;
  withoutDirection: number;
  notFinite: number;
}

/** The objects to look at: a range of keys, and of these only some if `ids` is given. */
export interface Selection extends KeyRange {
  ids?: readonly string[] | undefined;
}

export interface AuditPage {
  facts: AuditFacts[];
  /** Everything up to this id was read; null at the end. */
  until: string | null;
}

/** Limits of one page; the parts of an object are read together. */
export interface PageLimits {
  objects: number;
  parts: number;
}

/** Squares of lengths beyond these are 0 or infinite in single precision, in which pgvector computes cosines. */
const MIN_SQUARE = 1e-45;

/** Reads a page of objects with the facts about their parts, in key order; parts without an object are included. */
export async function readFacts(
  db: Db,
  index: Pick<IndexRow, 'no' | 'model' | 'metric'>,
  selection: Selection,
  limits: PageLimits,
): Promise<AuditPage> {
  const until = await endOfPage(db, index.no, selection, limits);
  const which = chosen({ ...selection, until: until ?? selection.until });
  const { objects, parts } = tablesOf(index.no);
  const live = sql`not deleted and not failed`;
  const isPart = sql`filter (where not is_average)`;
  const { rows } = await sql<AuditFacts>`
    select
      coalesce(o.id, p.id) as id,
      coalesce(o.rows, 0) as rows,
      coalesce(o.deleted, false) as deleted,
      coalesce(o.failed, false) as failed,
      o.hash, o.payload,
      coalesce(p.numbers, '{}') as numbers,
      coalesce(p.starts, '{}') as starts,
      coalesce(p.ends, '{}') as ends,
      coalesce(p.averages, '{}') as averages,
      coalesce(p."otherLength", 0) as "otherLength",
      coalesce(p."withoutDirection", 0) as "withoutDirection",
      coalesce(p."notFinite", 0) as "notFinite"
    from (
      select
        object_id as id,
        (count(*) over (partition by object_id))::int as rows,
        row_number() over (partition by object_id order by version desc, change desc) as place,
        deleted, failed,
        case when ${live} then hash end as hash,
        case when ${live} then payload end as payload
      from ${objects}
      where index_no = ${index.no} ${which}
    ) o
    full join (
      select
        object_id as id,
        array_agg(part order by part) ${isPart} as numbers,
        array_agg(lower(text_range) order by part) ${isPart} as starts,
        array_agg(upper(text_range) order by part) ${isPart} as ends,
        array_agg(part order by part) filter (where is_average) as averages,
        (count(*) filter (where dims <> ${index.model.dimensions}))::int as "otherLength",
        (count(*) filter (where ${withoutDirection(index)}))::int as "withoutDirection",
        (count(*) filter (where length in ('NaN', 'Infinity')))::int as "notFinite"
      from (
        select object_id, part, is_average, text_range, vector_dims(embedding) as dims, vector_norm(embedding::vector) as length
        from ${parts}
        where index_no = ${index.no} ${which}
      ) measured
      group by object_id
    ) p on p.id = o.id
    where coalesce(o.place, 1) = 1
    order by 1`.execute(db);
  return { facts: rows, until };
}

function withoutDirection({ metric }: Pick<IndexRow, 'metric'>): RawBuilder<unknown> {
  if (metric !== 'cosine') return sql`length = 0`;
  return sql`length not in ('NaN', 'Infinity') and not (length * length between ${MIN_SQUARE} and ${FLOAT32_MAX})`;
}

/** Returns the last key of the next page, which has at least one object; null if it reaches the end. */
async function endOfPage(db: Db, indexNo: number, selection: Selection, limits: PageLimits): Promise<string | null> {
  const { objects, parts } = tablesOf(indexNo);
  const which = chosen(selection);
  const { rows } = await sql<{ until: string | null }>`
    select least(
      (
        select max(object_id)
        from (
          select object_id, sum(bytes) over (order by object_id) - bytes as before
          from (
            select object_id, ${storedWeight(sql`payload`)} as bytes
            from ${objects}
            where index_no = ${indexNo} ${which}
            order by object_id
            limit ${limits.objects}
          ) page
        ) weighed
        where before < ${MAX_READ_WEIGHT}::bigint
      ),
      (
        select object_id
        from ${parts}
        where index_no = ${indexNo} ${which}
        order by object_id, part
        offset ${limits.parts}
        limit 1
      )
    ) as until`.execute(db);
  return rows[0]?.until ?? null;
}

function chosen({ after, until, ids }: Selection): RawBuilder<unknown> {
  const from = after === null ? sql`` : sql`and object_id > ${after}::text collate "C"`;
  const to = until === null ? sql`` : sql`and object_id <= ${until}::text collate "C"`;
  const these = ids === undefined ? sql`` : sql`and object_id = any(${textArray(ids)}::text[])`;
  return sql`${from} ${to} ${these}`;
}

/** Counts the live objects of a range. */
export async function countObjects(db: Db, indexNo: number, range: KeyRange): Promise<number> {
  const { rows } = await sql<{ objects: number }>`
    select count(*) as objects
    from ${tablesOf(indexNo).objects}
    where index_no = ${indexNo} and not deleted ${chosen(range)}`.execute(db);
  return rows[0]?.objects ?? 0;
}
