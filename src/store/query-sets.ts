import { type RawBuilder, sql } from 'kysely';
import { invalidField, ReembedError } from '../contract/errors.ts';
import { LIMITS } from '../contract/limits.ts';
import type { Missing, Query, QuerySetInfo, StoredQuery } from '../contract/query-sets.ts';
import { percentText } from '../contract/texts.ts';
import { type Db, type Trx, transaction } from './database.ts';
import { readTables, tablesOf } from './partitions.ts';
import { type Claim, requireOwnName } from './placement/names.ts';
import { cutPage } from './read-size.ts';
import type { IndexRow } from './schema.ts';

/** Rows of one statement. */
const BATCH = 500;
/** Examples of judgments without an object. */
const EXAMPLES = 20;

/** What a set was made from, if its queries were not given. */
export type QuerySetOrigin = Partial<Pick<QuerySetInfo, 'knownItem' | 'sampled'>>;

const COLUMNS = sql`name, queries, judged, judgments, bytes, known_item as "knownItem", sampled,
  to_char(create_time at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "createTime",
  to_char(update_time at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "updateTime"`;

/** Creates a query set, or replaces all queries of an existing one, in one transaction. */
export async function saveQuerySet(
  db: Db,
  name: string,
  queries: readonly Query[],
  { knownItem = null, sampled = null, claim = null }: QuerySetOrigin & { claim?: Claim | null } = {},
): Promise<{ info: QuerySetInfo; created: boolean }> {
  const rows = queries.map(({ id, text, relevant, metadata = {} }) => ({
    id,
    text,
    relevant: JSON.stringify(relevant),
    metadata: JSON.stringify(metadata),
  }));
  const counts = {
    judged: queries.filter(({ relevant }) => relevant.some(({ grade }) => grade > 0)).length,
    judgments: queries.reduce((sum, { relevant }) => sum + relevant.length, 0),
    bytes: rows.reduce((sum, row) => sum + bytesOf(row), 0),
  };
  return transaction(db, async (trx) => {
    const { rows: there } = await sql`select from reembed.query_sets where name = ${name} for update`.execute(trx);
    if (there.length === 0) await requireOwnName(trx, 'query-set', name, claim);
    const { rows: saved } = await sql<QuerySetInfo & { created: boolean }>`
      insert into reembed.query_sets (name, known_item, sampled, queries, judged, judgments, bytes)
      values (
        ${name}, ${knownItem && JSON.stringify(knownItem)}::jsonb, ${sampled && JSON.stringify(sampled)}::jsonb,
        ${queries.length}, ${counts.judged}, ${counts.judgments}, ${counts.bytes}
      )
      on conflict (name) do update
      set known_item = excluded.known_item, sampled = excluded.sampled, queries = excluded.queries, judged = excluded.judged,
        judgments = excluded.judgments, bytes = excluded.bytes, update_time = now()
      returning ${COLUMNS}, xmax = 0 as created`.execute(trx);
    const { created, ...info } = saved[0] as QuerySetInfo & { created: boolean };
    await sql`delete from reembed.queries where query_set = ${name}`.execute(trx);
    for (let at = 0; at < rows.length; at += BATCH) await insertQueries(trx, name, rows.slice(at, at + BATCH));
    return { info, created };
  });
}

interface Row {
  id: string;
  text: string;
  relevant: string;
  metadata: string;
}

function bytesOf({ text, relevant, metadata }: Row): number {
  return Buffer.byteLength(text) + Buffer.byteLength(relevant) + Buffer.byteLength(metadata);
}

async function insertQueries(trx: Trx, name: string, rows: readonly Row[]): Promise<void> {
  await sql`
    insert into reembed.queries (query_set, id, text, relevant, metadata)
    select ${name}, id, text, relevant::jsonb, metadata::jsonb
    from unnest(
      ${rows.map(({ id }) => id)}::text[],
      ${rows.map(({ text }) => text)}::text[],
      ${rows.map(({ relevant }) => relevant)}::text[],
      ${rows.map(({ metadata }) => metadata)}::text[]
    ) as given (id, text, relevant, metadata)`.execute(trx);
}

/** Lists all query sets by name. */
export async function listQuerySets(db: Db): Promise<QuerySetInfo[]> {
  const { rows } = await sql<QuerySetInfo>`select ${COLUMNS} from reembed.query_sets order by name`.execute(db);
  return rows;
}

/** Returns a query set. Error: `QuerySetNotFound`. */
export async function getQuerySet(db: Db, name: string): Promise<QuerySetInfo> {
  const { rows } = await sql<QuerySetInfo>`
    select ${COLUMNS}
    from reembed.query_sets
    where name = ${name}`.execute(db);
  if (!rows[0]) throw notFound(name);
  return rows[0];
}

/** Returns some queries of a set, by id, and the id after which the next page begins; null after the last one. */
export async function listQueries(
  db: Db,
  name: string,
  { after, limit, bytes = LIMITS.answerBytes }: { after: string | null; limit: number; bytes?: number },
): Promise<{ queries: StoredQuery[]; next: string | null }> {
  const { rows } = await sql<StoredQuery & { sum: number }>`
    select *
    from (
      select id, text, relevant, metadata,
        sum(octet_length(text) + octet_length(relevant::text) + octet_length(metadata::text)) over (order by id) as sum
      from (
        select *
        from reembed.queries
        where query_set = ${name} and (${after}::text is null or id > ${after}::text collate "C")
        order by id
        limit ${limit + 1}
      ) page
    ) summed
    order by id`.execute(db);
  const { page, isLast } = cutPage(rows, { limit, bytes });
  return { queries: page, next: isLast ? null : (page.at(-1)?.id ?? null) };
}

/** Deletes a query set; evaluations that have begun keep their queries. Error: `QuerySetNotFound`. */
export async function deleteQuerySet(db: Db, name: string): Promise<void> {
  const { numAffectedRows } = await sql`delete from reembed.query_sets where name = ${name}`.execute(db);
  if (Number(numAffectedRows ?? 0) === 0) throw notFound(name);
}

function notFound(name: string): ReembedError {
  return new ReembedError('QuerySetNotFound', `there is no query set ${name}`);
}

/** Counts the judgments of a stored query set whose objects an index does not have. */
export function missingOfSet(db: Db, index: IndexRow, name: string): Promise<Missing> {
  return missingIn(db, index, judgmentsOf(sql`reembed.queries`, sql`query_set = ${name}`));
}

/** Counts the judgments of an evaluation whose objects an index does not have. */
export function missingOfEvaluation(db: Db, index: IndexRow, taskId: string): Promise<Missing> {
  return missingIn(db, index, judgmentsOf(sql`reembed.evaluation_queries`, sql`task_id = ${taskId}`));
}

function judgmentsOf(queries: RawBuilder<unknown>, condition: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    select id as query, judgment.value ->> 'id' as id
    from ${queries}
    cross join lateral jsonb_array_elements(relevant) judgment
    where ${condition}`;
}

/** Counts the judgments whose objects an index does not have. */
export function missingOf(
  db: Db,
  index: IndexRow,
  queries: readonly Pick<Query, 'id' | 'relevant'>[],
): Promise<Missing> {
  const judgments = queries.flatMap(({ id: query, relevant }) => relevant.map(({ id }) => ({ query, id })));
  return missingIn(
    db,
    index,
    sql`
    select *
    from unnest(
      ${judgments.map(({ query }) => query)}::text[],
      ${judgments.map(({ id }) => id)}::text[]
    ) as given (query, id)`,
  );
}

async function missingIn(db: Db, index: IndexRow, judgments: RawBuilder<unknown>): Promise<Missing> {
  const { objects } = tablesOf(index.no);
  const query = sql<{ total: number; judgments: number; examples: Missing['examples'] | null }>`
    with judged as materialized (${judgments}),
    missing as materialized (
      select query, id
      from judged
      where not exists (
        select
        from ${objects} o
        where o.index_no = ${index.no} and o.object_id = judged.id collate "C" and not o.deleted
      )
    )
    select (select count(*) from judged) as total,
      (select count(*) from missing) as judgments,
      (
        select jsonb_agg(jsonb_build_object('query', query, 'id', id) order by query, id)
        from (select * from missing order by query, id limit ${EXAMPLES}) first
      ) as examples`;
  const { rows } = await readTables(index, () => query.execute(db));
  const { total = 0, judgments: count = 0, examples } = rows[0] ?? {};
  return { judgments: count, share: total === 0 ? 0 : count / total, examples: examples ?? [] };
}

/** Refuses a set of which too many judged objects are missing. Error: `InvalidInput` that names the field. */
export function requireFewMissing(field: string, index: string, missing: Missing, maxMissing: number): void {
  if (missing.share <= maxMissing) return;
  const some = missing.examples.slice(0, 5).map(({ id }) => id);
  const message =
    `${missing.judgments} judgments (${percentText(missing.share)}) are for objects that ${index} does not have, ` +
    `maxMissing allows ${percentText(maxMissing)}; for instance ${some.map((id) => JSON.stringify(id)).join(', ')}`;
  throw invalidField(field, message);
}
