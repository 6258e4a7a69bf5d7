import { sql } from 'kysely';
import type { Vector } from '../contract/vectors.ts';
import { intArray, readVector, textArray } from './binary.ts';
import type { Db, Trx } from './database.ts';
import { vectorsParameter } from './protocol/object-parts.ts';

/** A range of the source's keys, as a task numbers it. */
export interface BatchRange {
  taskId: string;
  rangeNo: number;
}

/** What is known of the texts of a range. */
export interface BatchCounts {
  answered: number;
  refused: number;
  /** Sent, without an answer. */
  open: number;
}

export interface TextAnswer {
  key: string;
  /** Null for a text that was refused. */
  vector: Vector | null;
  why: string | null;
}

/** Numbers of the vectors that one statement reads at most: 16 MB. */
const NUMBERS_AT_ONCE = 4_000_000;

/** A text that is sent: how many characters it has, and how many tokens at least. */
export interface SentText {
  key: string;
  chars: number;
  minTokens: number;
}

/** Notes texts before they are sent; those that were sent before stay as they are. */
export async function noteSent(db: Db, { taskId, rangeNo }: BatchRange, texts: readonly SentText[]): Promise<void> {
  await sql`
    insert into reembed.batch_texts (task_id, range_no, text_key, chars, min_tokens)
    select ${taskId}, ${rangeNo}::int, key::uuid, chars, min_tokens
    from unnest(
      ${textArray(texts.map(({ key }) => key))}::text[],
      ${intArray(texts.map(({ chars }) => chars))}::int[],
      ${intArray(texts.map(({ minTokens }) => minTokens))}::int[]
    ) sent(key, chars, min_tokens)
    on conflict do nothing`.execute(db);
}

/** Reads how long texts are that were sent. Those that an older version has sent are missing. */
export async function readSizes(
  db: Db,
  { taskId, rangeNo }: BatchRange,
  keys: readonly string[],
): Promise<Map<string, SentText>> {
  const { rows } = await sql<SentText>`
    select text_key as key, chars, min_tokens as "minTokens"
    from reembed.batch_texts
    where task_id = ${taskId}
      and range_no = ${rangeNo}
      and text_key = any(${textArray(keys)}::text[]::uuid[])
      and chars is not null`.execute(db);
  return new Map(rows.map((row) => [row.key, row]));
}

/** Returns which of these texts need not be sent again: they have an answer. */
export async function findAnswered(
  db: Db,
  { taskId, rangeNo }: BatchRange,
  keys: readonly string[],
): Promise<Set<string>> {
  const { rows } = await sql<{ key: string }>`
    select text_key as key
    from reembed.batch_texts
    where task_id = ${taskId}
      and range_no = ${rangeNo}
      and text_key = any(${textArray(keys)}::text[]::uuid[])
      and (vector is not null or refused is not null)`.execute(db);
  return new Set(rows.map(({ key }) => key));
}

/**
 * Stores answers to texts that were sent and have none yet. Returns their keys: others were not asked for, or came
 * before.
 */
export async function storeAnswers(
  trx: Trx,
  { taskId, rangeNo }: BatchRange,
  answers: readonly TextAnswer[],
): Promise<Set<string>> {
  const withVector = answers.filter(({ vector }) => vector !== null);
  const refused = answers.filter(({ vector }) => vector === null);
  const vectors = await vectorsParameter(
    trx,
    withVector.map(({ vector }) => vector ?? []),
  );
  const stored = await sql<{ key: string }>`
    update reembed.batch_texts sent set vector = answer.vector, refused = null
    from unnest(${textArray(withVector.map(({ key }) => key))}::text[]::uuid[], ${vectors}::vector[]) answer(key, vector)
    where sent.task_id = ${taskId}
      and sent.range_no = ${rangeNo}
      and sent.text_key = answer.key
      and sent.vector is null
    returning sent.text_key as key`.execute(trx);
  const noted = await sql<{ key: string }>`
    update reembed.batch_texts sent set refused = answer.why
    from unnest(
      ${textArray(refused.map(({ key }) => key))}::text[]::uuid[],
      ${textArray(refused.map(({ why }) => why ?? ''))}::text[]
    ) answer(key, why)
    where sent.task_id = ${taskId}
      and sent.range_no = ${rangeNo}
      and sent.text_key = answer.key
      and sent.vector is null
      and sent.refused is null
    returning sent.text_key as key`.execute(trx);
  return new Set([...stored.rows, ...noted.rows].map(({ key }) => key));
}

/** Reads the vectors that came for texts, by key. */
export async function readAnswers(
  db: Db,
  { taskId, rangeNo }: BatchRange,
  { keys, dimensions }: { keys: readonly string[]; dimensions: number },
): Promise<Map<string, Vector>> {
  const found = new Map<string, Vector>();
  const step = Math.max(1, Math.floor(NUMBERS_AT_ONCE / dimensions));
  for (let from = 0; from < keys.length; from += step) {
    const { rows } = await sql<{ key: string; bytes: Buffer }>`
      select text_key as key, vector_send(vector) as bytes
      from reembed.batch_texts
      where task_id = ${taskId}
        and range_no = ${rangeNo}
        and text_key = any(${textArray(keys.slice(from, from + step))}::text[]::uuid[])
        and vector is not null`.execute(db);
    for (const { key, bytes } of rows) found.set(key, readVector(bytes));
  }
  return found;
}

/** Returns the first of the reasons of a range's refusals, and the counts of its texts. */
export async function countAnswers(
  db: Db,
  { taskId, rangeNo }: BatchRange,
): Promise<BatchCounts & { why: string | null }> {
  const { rows } = await sql<BatchCounts & { why: string | null }>`
    select
      count(vector) as answered,
      count(refused) as refused,
      count(*) filter (where vector is null and refused is null) as open,
      min(refused) as why
    from reembed.batch_texts
    where task_id = ${taskId} and range_no = ${rangeNo}`.execute(db);
  return rows[0] ?? { answered: 0, refused: 0, open: 0, why: null };
}

export async function dropBatchRange(db: Db, { taskId, rangeNo }: BatchRange): Promise<void> {
  await sql`delete from reembed.batch_texts where task_id = ${taskId} and range_no = ${rangeNo}`.execute(db);
}

export async function dropBatchTexts(db: Db, taskId: string): Promise<void> {
  await sql`delete from reembed.batch_texts where task_id = ${taskId}`.execute(db);
}
