import { sql } from 'kysely';
import type { WriteCountsByItem } from '../contract/activities.ts';
import type { FailedItem, Stage } from '../contract/tasks.ts';
import { Pace } from '../cpu/pace.ts';
import { textArray } from './binary.ts';
import type { Db, Trx } from './database.ts';
import { EncodedItem } from './encoded-item.ts';
import { firstBytes, MAX_READ_WEIGHT, storedWeight } from './read-size.ts';

/**
 * Stages a task's items in Postgres until it ends, so that they never go through workflow history. `staging` identifies
 * one admission of items.
 */
export async function stageItems(db: Db, staging: string, firstSeq: number, items: readonly unknown[]): Promise<void> {
  for (let from = 0; from < items.length; ) {
    const { array, to } = await nextArray(items, from);
    await sql`
      insert into reembed.staged_items (staging, seq, item)
      select ${staging}, ${firstSeq + from}::int + place - 1, item::json
      from unnest(${array}::text[]) with ordinality as incoming (item, place)
      on conflict (staging, seq) do nothing`.execute(db);
    from = to;
  }
}

/** Assigns a task's version and stages its first items in one statement, then the rest. Returns the version. */
export async function stageFirst(db: Db, staging: string, items: readonly unknown[]): Promise<number> {
  const { array, to } = await nextArray(items, 0);
  const { rows } = await sql<{ version: number }>`
    with task as (
      select nextval('reembed.versions') as version
    ),
    staged as (
      insert into reembed.staged_items (staging, seq, item)
      select ${staging}, place - 1, item::json
      from unnest(${array}::text[]) with ordinality as incoming (item, place)
      on conflict (staging, seq) do nothing
    )
    select version from task`.execute(db);
  await stageItems(db, staging, to, items.slice(to));
  return rows[0]?.version as number;
}

/** Approximate max characters of one statement with several items. */
const STATEMENT_CHARS = 2 * 1024 * 1024;

/** Encodes the next items as a parameter, and returns where they end. Yields to other work between items. */
async function nextArray(items: readonly unknown[], from: number): Promise<{ array: Buffer; to: number }> {
  const pace = new Pace();
  const texts: (string | Uint8Array)[] = [];
  for (let chars = 0; from + texts.length < items.length && chars < STATEMENT_CHARS; ) {
    const item = items[from + texts.length];
    const text = item instanceof EncodedItem ? item.json : JSON.stringify(item);
    chars += text.length;
    texts.push(text);
    if (pace.isDue) await pace.breathe();
  }
  return { array: textArray(texts), to: from + texts.length };
}

/** Finds the first item whose id an earlier item also has, with the positions of both. */
export async function findRepeated(
  db: Db,
  staging: string,
): Promise<{ id: string; seq: number; before: number } | undefined> {
  const { rows } = await sql<{ id: string; seq: number; before: number }>`
    select id, seq, before
    from (
      select item ->> 'id' as id, seq, lag(seq) over (partition by item ->> 'id' order by seq) as before
      from reembed.staged_items
      where staging = ${staging}
    ) items
    where before is not null
    order by seq
    limit 1`.execute(db);
  return rows[0];
}

/**
 * Reads staged items from `fromSeq` on, in order; with `failedOf`, only those on that task's failed list. Stops when
 * the stored size exceeds `limitBytes` (default: 4 MiB; compressed bytes count 32 times) or the JSON exceeds 8 MiB, but
 * returns at least one.
 */
export async function readStaged<T>(
  db: Db,
  staging: string,
  range: { fromSeq: number; toSeq: number; limit: number; limitBytes?: number; failedOf?: string | null },
): Promise<{ seq: number; item: T }[]> {
  const wanted =
    range.failedOf == null
      ? sql``
      : sql`and exists (
          select from reembed.failed_items failed
          where failed.task_id = ${range.failedOf} and failed.object_id = staged.item ->> 'id'
        )`;
  const { rows } = await sql<{ seq: number; item: T }>`
    select seq, item
    from (
      select seq, item, sum(${storedWeight(sql`item`)}) over (order by seq) - ${storedWeight(sql`item`)} as bytes_before
      from reembed.staged_items staged
      where staging = ${staging} and seq >= ${range.fromSeq} and seq < ${range.toSeq} ${wanted}
      order by seq
      limit ${range.limit}
    ) first
    where bytes_before < ${range.limitBytes ?? MAX_READ_WEIGHT}::bigint
    order by seq`.execute(db);
  return firstBytes(rows, ({ item }) => item);
}

/** Returns the weight of the first staged items of a range, in the bytes of `storedWeight`. */
export async function weighStaged(
  db: Db,
  staging: string,
  range: { fromSeq: number; toSeq: number; limit: number },
): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    select coalesce(sum(bytes), 0)::float8 as bytes
    from (
      select ${storedWeight(sql`item`)} as bytes
      from reembed.staged_items
      where staging = ${staging} and seq >= ${range.fromSeq} and seq < ${range.toSeq}
      order by seq
      limit ${range.limit}
    ) first`.execute(db);
  return rows[0]?.bytes ?? 0;
}

export async function countStaged(db: Db, staging: string): Promise<number> {
  const { rows } = await sql<{ items: number }>`
    select count(*) as items from reembed.staged_items where staging = ${staging}`.execute(db);
  return rows[0]?.items ?? 0;
}

/**
 * Deletes a task's items after all of them are written, and keeps the counts for a day: if the worker dies before the
 * Temporal server knows, another worker starts the task again and finds no items.
 */
export async function finishStaged(db: Db | Trx, staging: string, counts: WriteCountsByItem): Promise<void> {
  await sql`
    with gone as (
      delete from reembed.staged_items where staging = ${staging}
    )
    insert into reembed.finished_writes (staging, counts)
    values (${staging}, ${JSON.stringify(counts)}::jsonb)
    on conflict (staging) do update set counts = excluded.counts, finish_time = excluded.finish_time`.execute(db);
}

/** Returns the counts of a task's items if they were finished within the last day. */
export async function findFinished(db: Db, staging: string): Promise<WriteCountsByItem | undefined> {
  const row = await db
    .selectFrom('reembed.finished_writes')
    .select('counts')
    .where('staging', '=', staging)
    .executeTakeFirst();
  return row?.counts;
}

export async function dropStaged(db: Db, staging: string): Promise<void> {
  await sql`delete from reembed.staged_items where staging = ${staging}`.execute(db);
}

/** Records failed items with stage and reason, and with the item itself so that it can be retried. */
export async function recordFailed(
  db: Db | Trx,
  taskId: string,
  failed: readonly (FailedItem & { item?: unknown })[],
): Promise<void> {
  const byId = [...new Map(failed.map((item) => [item.objectId, item])).values()]; // a statement can write a row once
  if (byId.length === 0) return;
  await sql`
    insert into reembed.failed_items (task_id, object_id, stage, reason, detail, item)
    select ${taskId}, *
    from unnest(
      ${byId.map((item) => item.objectId)}::text[],
      ${byId.map((item) => item.stage)}::text[],
      ${byId.map((item) => item.reason)}::text[],
      ${byId.map((item) => item.detail.replaceAll('\u0000', '\ufffd').slice(0, 2_000))}::text[],
      ${byId.map((item) => (item.item === undefined ? null : JSON.stringify(item.item)))}::jsonb[]
    )
    on conflict (task_id, object_id) do update set
      stage = excluded.stage, reason = excluded.reason, detail = excluded.detail, fail_time = now(),
      item = coalesce(excluded.item, failed_items.item)`.execute(db);
}

export async function hasFailed(db: Db, taskId: string): Promise<boolean> {
  const { rows } = await sql`select from reembed.failed_items where task_id = ${taskId} limit 1`.execute(db);
  return rows.length > 0;
}

export async function dropFailed(db: Db | Trx, taskId: string): Promise<void> {
  await sql`delete from reembed.failed_items where task_id = ${taskId}`.execute(db);
}

/** Removes items from the failed list that a later attempt has written. */
export async function clearFailed(db: Db, taskId: string, objectIds: readonly string[]): Promise<void> {
  if (objectIds.length === 0) return;
  await sql`
    delete from reembed.failed_items
    where task_id = ${taskId} and object_id = any(${objectIds}::text[])`.execute(db);
}

/** Returns why these items failed, by id, of those that are on the failed list. */
export async function readFailedDetails(
  db: Db,
  taskId: string,
  objectIds: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await sql<{ objectId: string; detail: string }>`
    select object_id as "objectId", detail
    from reembed.failed_items
    where task_id = ${taskId} and object_id = any(${objectIds}::text[])`.execute(db);
  return new Map(rows.map(({ objectId, detail }) => [objectId, detail]));
}

export async function listFailed(
  db: Db,
  taskId: string,
  page: { after: string | null; limit: number },
): Promise<FailedItem[]> {
  const { rows } = await sql<{ objectId: string; stage: Stage; reason: string; detail: string }>`
    select object_id as "objectId", stage, reason, detail
    from reembed.failed_items
    where task_id = ${taskId} and (${page.after}::text is null or object_id > ${page.after}::text collate "C")
    order by object_id
    limit ${page.limit}`.execute(db);
  return rows;
}

export async function countFailed(db: Db, taskId: string): Promise<number> {
  const { rows } = await sql<{ items: number }>`
    select count(*) as items from reembed.failed_items where task_id = ${taskId}`.execute(db);
  return rows[0]?.items ?? 0;
}
