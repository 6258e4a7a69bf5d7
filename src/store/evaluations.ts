import { sql } from 'kysely';
import { type Approve, evaluationOf } from '../contract/approval.ts';
import { invalidField, ReembedError } from '../contract/errors.ts';
import type { Evaluation, EvaluationRequest } from '../contract/evaluation.ts';
import type { Missing, StoredQuery } from '../contract/query-sets.ts';
import { type Db, type Trx, transaction } from './database.ts';
import { findIndexByNo, requireActive, resolveIndex } from './indexes.ts';
import { readTables, tablesOf } from './partitions.ts';
import { getQuerySet, missingOfSet, requireFewMissing } from './query-sets.ts';
import type { IndexRow } from './schema.ts';
import type { BothWays } from './search-both-ways.ts';

/** What one side found for a query; without results if its text could not be embedded. */
export type FoundOnSide = BothWays | { notEmbedded: 'unknown-words' | 'rejected' };

export interface FoundOnBoth {
  left: FoundOnSide;
  right: FoundOnSide;
}

export interface EvaluationQuery extends StoredQuery {
  seq: number;
}

export interface CheckedEvaluation {
  left: IndexRow;
  right: IndexRow;
  queries: number;
  missing: { left: Missing; right: Missing };
}

/**
 * Checks everything that an evaluation needs before it begins. Errors, each naming the field: `IndexNotFound`,
 * `IndexDeleting`, `QuerySetNotFound`, `InvalidInput`.
 */
export async function checkEvaluation(db: Db, request: EvaluationRequest): Promise<CheckedEvaluation> {
  const left = await onField('left', () => activeIndex(db, request.left));
  const right = await onField('right', () => activeIndex(db, request.right));
  if (left.no === right.no) throw invalidField('right', `must not be the left side: ${request.right} is ${left.name}`);
  const { queries, missing } = await checkQuerySet(db, left, request);
  const missingRight = await missingOfSet(db, right, request.querySet);
  requireFewMissing('querySet', right.name, missingRight, request.maxMissing);
  return { left, right, queries, missing: { left: missing, right: missingRight } };
}

type QuerySetUse = Pick<EvaluationRequest, 'querySet' | 'thresholds' | 'breakdown' | 'maxMissing'>;

/**
 * Checks a query set against the left side of an evaluation. `prefix` precedes the fields in errors:
 * `QuerySetNotFound`, `InvalidInput`.
 */
async function checkQuerySet(
  db: Db,
  left: IndexRow,
  { querySet, thresholds, breakdown, maxMissing }: QuerySetUse,
  prefix = '',
): Promise<{ queries: number; missing: Missing }> {
  const set = await onField(`${prefix}querySet`, () => getQuerySet(db, querySet));
  for (const field of ['minNdcg', 'minRecall', 'minMrr'] as const) {
    if (thresholds[field] === undefined || set.judged > 0) continue;
    const problem = `needs judgments: no query of ${set.name} has a relevant object`;
    throw invalidField(`${prefix}thresholds.${field}`, problem);
  }
  if (breakdown !== undefined && !(await hasField(db, set.name, breakdown))) {
    const problem = `no query of ${set.name} has the metadata field ${JSON.stringify(breakdown)}`;
    throw invalidField(`${prefix}breakdown`, problem);
  }
  const missing = await missingOfSet(db, left, set.name);
  requireFewMissing(`${prefix}querySet`, left.name, missing, maxMissing);
  return { queries: set.queries, missing };
}

/**
 * Checks the query set that decides about the switch of a reindex, if there is one. Errors: `IndexNotFound`,
 * `QuerySetNotFound`, `InvalidInput`.
 */
export async function checkApproval(db: Db, source: string, approve: Approve): Promise<void> {
  const settings = evaluationOf(approve);
  if (settings) await checkQuerySet(db, await resolveIndex(db, source), settings, 'approve.');
}

async function activeIndex(db: Db, name: string): Promise<IndexRow> {
  const index = await resolveIndex(db, name);
  requireActive(index);
  return index;
}

async function hasField(db: Db, querySet: string, field: string): Promise<boolean> {
  const { rows } = await sql<{ has: boolean }>`
    select exists (
      select
      from reembed.queries
      where query_set = ${querySet} and metadata -> ${field}::text is not null
    ) as has`.execute(db);
  return rows[0]?.has === true;
}

/** Adds the field to an error about what it names. */
export async function onField<T>(path: string, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof ReembedError) || error.issues.length > 0) throw error;
    const issues = [{ path, message: error.message }];
    throw new ReembedError(error.type, `${path}: ${error.message}`, { issues, cause: error });
  }
}

/**
 * Begins an evaluation, or continues the one of the same `run`: fixes the indexes, and copies the queries. Another run
 * replaces the evaluation of the task. Errors: those of `checkEvaluation`.
 */
export async function beginEvaluation(
  db: Db,
  { taskId, run, request }: { taskId: string; run: string; request: EvaluationRequest },
): Promise<{ total: number; done: number }> {
  const begun = await countQueries(db, taskId, run);
  if (begun) return begun;
  const { left, right } = await checkEvaluation(db, request);
  await transaction(db, async (trx) => {
    await sql`delete from reembed.evaluations where task_id = ${taskId}`.execute(trx);
    await sql`
      insert into reembed.evaluations (task_id, run, request, left_no, right_no)
      values (${taskId}, ${run}, ${JSON.stringify(request)}::jsonb, ${left.no}, ${right.no})`.execute(trx);
    await sql`
      insert into reembed.evaluation_queries (task_id, seq, id, text, relevant, metadata)
      select ${taskId}, row_number() over (order by id), id, text, relevant, metadata
      from reembed.queries
      where query_set = ${request.querySet}`.execute(trx);
  });
  const fresh = await countQueries(db, taskId, run);
  // The set may have been deleted since the check.
  if (!fresh || fresh.total === 0) throw invalidField('querySet', `${request.querySet} has no queries`);
  return fresh;
}

async function countQueries(db: Db, taskId: string, run: string): Promise<{ total: number; done: number } | null> {
  const { rows } = await sql<{ total: number; done: number }>`
    select count(q.seq) as total, count(q.found) as done
    from reembed.evaluations e
    left join reembed.evaluation_queries q on q.task_id = e.task_id
    where e.task_id = ${taskId} and e.run = ${run}
    group by e.task_id`.execute(db);
  return rows[0] ?? null;
}

export interface OpenEvaluation {
  request: EvaluationRequest;
  left: IndexRow;
  right: IndexRow;
  total: number;
  done: number;
}

/** Returns an evaluation that has begun. Errors: `EvaluationNotFound`, `IndexDeleted` if a side was deleted since. */
export async function openEvaluation(db: Db, taskId: string): Promise<OpenEvaluation> {
  const { rows } = await sql<{
    run: string;
    request: EvaluationRequest;
    left_no: number;
    right_no: number;
  }>`
    select run, request, left_no, right_no
    from reembed.evaluations
    where task_id = ${taskId}`.execute(db);
  const [row] = rows;
  if (!row) throw new ReembedError('EvaluationNotFound', `the task ${taskId} has no evaluation`);
  const sideOf = async (no: number, name: string) => {
    const index = await findIndexByNo(db, no);
    if (index) return index;
    throw new ReembedError('IndexDeleted', `the index ${name} was deleted during the evaluation`);
  };
  const [left, right] = [await sideOf(row.left_no, row.request.left), await sideOf(row.right_no, row.request.right)];
  const { total = 0, done = 0 } = (await countQueries(db, taskId, row.run)) ?? {};
  return { request: row.request, left, right, total, done };
}

/** Returns some queries that have not run yet. */
export async function nextQueries(db: Db, taskId: string, limit: number): Promise<EvaluationQuery[]> {
  const { rows } = await sql<EvaluationQuery>`
    select seq, id, text, relevant, metadata
    from reembed.evaluation_queries
    where task_id = ${taskId} and found is null
    order by seq
    limit ${limit}`.execute(db);
  return rows;
}

/** Stores what both sides found for some queries. */
export async function recordFound(db: Db, taskId: string, found: ReadonlyMap<number, FoundOnBoth>): Promise<void> {
  await sql`
    update reembed.evaluation_queries as query
    set found = given.found::jsonb
    from unnest(
      ${[...found.keys()]}::int[],
      ${[...found.values()].map((one) => JSON.stringify(one))}::text[]
    ) as given (seq, found)
    where query.task_id = ${taskId} and query.seq = given.seq`.execute(db);
}

export type EvaluatedQuery = EvaluationQuery & { found: FoundOnBoth };

/** Yields all queries with what was found, in their order, page by page. */
export async function* evaluatedQueries(db: Db, taskId: string): AsyncGenerator<EvaluatedQuery> {
  const page = 200;
  for (let after = 0; ; after += page) {
    const { rows } = await sql<EvaluatedQuery>`
      select seq, id, text, relevant, metadata, found
      from reembed.evaluation_queries
      where task_id = ${taskId} and seq > ${after} and seq <= ${after + page} and found is not null
      order by seq`.execute(db);
    if (rows.length === 0) return;
    yield* rows;
  }
}

/** Reads some evaluated queries by their numbers. */
export async function readEvaluated(db: Db, taskId: string, seqs: readonly number[]): Promise<EvaluatedQuery[]> {
  const { rows } = await sql<EvaluatedQuery>`
    select seq, id, text, relevant, metadata, found
    from reembed.evaluation_queries
    where task_id = ${taskId} and seq = any(${seqs}::int[])`.execute(db);
  return rows;
}

/** Reads the beginnings of the texts of some objects, by id; JSON payloads as JSON. */
export async function readBeginnings(
  db: Db,
  index: IndexRow,
  ids: readonly string[],
  chars: number,
): Promise<Map<string, string>> {
  const query = sql<{ id: string; text: string }>`
    select object_id as id,
      left(case jsonb_typeof(payload) when 'string' then payload #>> '{}' else payload::text end, ${chars}) as text
    from ${tablesOf(index.no).objects}
    where index_no = ${index.no} and object_id = any(${ids}::text[]) and not deleted`;
  const { rows } = await readTables(index, () => query.execute(db));
  return new Map(rows.map(({ id, text }) => [id, text ?? '']));
}

/** Counts the objects that searches can find. */
export async function countSearchable(db: Db, index: IndexRow): Promise<number> {
  const query = sql<{ objects: number }>`
    select count(*) as objects
    from ${tablesOf(index.no).objects}
    where index_no = ${index.no} and not deleted and not failed`;
  return (await readTables(index, () => query.execute(db))).rows[0]?.objects ?? 0;
}

/** Stores the report and drops the results of the queries, which it sums up. */
export async function saveReport(db: Db, taskId: string, report: Evaluation): Promise<void> {
  await transaction(db, async (trx: Trx) => {
    await sql`
      update reembed.evaluations
      set report = ${JSON.stringify(report)}::jsonb, update_time = now()
      where task_id = ${taskId}`.execute(trx);
    await sql`delete from reembed.evaluation_queries where task_id = ${taskId}`.execute(trx);
  });
}

/** Returns the report of a task; null if it has none, or not yet. */
export async function readReport(db: Db, taskId: string): Promise<Evaluation | null> {
  const { rows } = await sql<{ report: Evaluation | null }>`
    select report
    from reembed.evaluations
    where task_id = ${taskId}`.execute(db);
  return rows[0]?.report ?? null;
}

export async function dropEvaluation(db: Db, taskId: string): Promise<void> {
  await sql`delete from reembed.evaluations where task_id = ${taskId}`.execute(db);
}
