import { createHash } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import type { Storage } from '../contract/vector-index.ts';
import { type Db, type Trx, transaction } from './database.ts';
import { tablesOf } from './partitions.ts';
import { lockNames } from './protocol/gate.ts';
import type { IndexRow } from './schema.ts';
import { codeOf, isSessionEnded, SQLSTATE } from './sqlstate.ts';

/** Max bytes of a name in Postgres, which cuts longer ones in silence. */
const NAME_BYTES = 63;
const PREFIX = 'search_';
const HASH_CHARS = 12;

/**
 * Returns the name of an alias's view in the schema `reembed`: `search_docs`. A long alias is cut and ends with a hash,
 * after a tilde, which no alias has.
 */
export function viewNameOf(alias: string): string {
  const name = PREFIX + alias;
  if (name.length <= NAME_BYTES) return name;
  const hash = createHash('sha256').update(alias).digest('hex').slice(0, HASH_CHARS);
  return `${name.slice(0, NAME_BYTES - HASH_CHARS - 1)}~${hash}`;
}

/**
 * Max wait for the readers of one view, in milliseconds, during which its other readers queue up and the caller holds
 * the gates; and for the next views once one was waited for in vain.
 */
const WAIT_MS = 300;
const NEXT_WAIT_MS = 20;

/** Errors after which the whole transaction must run again. */
const RUN_AGAIN: readonly string[] = [SQLSTATE.deadlock, SQLSTATE.serializationFailure];

/**
 * Makes the views of aliases read what the aliases point to now, in the transaction that moved or deleted them. Returns
 * false if a view could not follow: someone has read it in a transaction that is still open, or it cannot be changed.
 * The alias is moved nevertheless, and `alignSearchViews` brings the view later.
 */
export async function followAliases(trx: Trx, aliases: readonly string[]): Promise<boolean> {
  let areAll = true;
  for (const alias of aliases) {
    const isThere = await tryToFollow(trx, alias, areAll ? WAIT_MS : NEXT_WAIT_MS);
    areAll &&= isThere;
  }
  return areAll;
}

async function tryToFollow(trx: Trx, alias: string, waitMs: number): Promise<boolean> {
  await sql`savepoint search_view`.execute(trx);
  try {
    const { rows } = await sql<{ before: string }>`
      select current_setting('lock_timeout') as before, set_config('lock_timeout', ${String(waitMs)}, true)`.execute(
      trx,
    );
    await follow(trx, alias);
    await sql`select set_config('lock_timeout', ${rows[0]?.before ?? '0'}, true)`.execute(trx);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined || isSessionEnded(error) || RUN_AGAIN.includes(code)) throw error;
    await sql`rollback to savepoint search_view`.execute(trx);
    return false;
  }
  await sql`release savepoint search_view`.execute(trx);
  return true;
}

async function follow(trx: Trx, alias: string): Promise<void> {
  const index = await trx
    .selectFrom('reembed.aliases as a')
    .innerJoin('reembed.indexes as i', 'i.no', 'a.index_no')
    .select(['i.no', 'i.model', 'i.splitter', 'i.storage'])
    .where('a.name', '=', alias)
    .executeTakeFirst();
  const view = viewNameOf(alias);
  if (!index) {
    await removeView(trx, view);
    await sql`delete from reembed.search_views where alias = ${alias}`.execute(trx);
    return;
  }
  await createView(trx, view, columnsOf(index));
  await sql`
    insert into reembed.search_views (alias, view_name, index_no)
    values (${alias}, ${view}, ${index.no})
    on conflict (alias) do update set index_no = excluded.index_no`.execute(trx);
}

/**
 * Creates or changes a view. It stays the same object of the database, so that privileges, and views of others that read
 * it, stay too. That is possible because the types of the columns never change: a vector without its dimensions.
 */
async function createView(trx: Trx, view: string, columns: RawBuilder<unknown>): Promise<void> {
  await sql`create or replace view ${sql.id('reembed', view)} as ${columns}`.execute(trx);
}

/**
 * A call instead of a cast, `embedding::vector(256)`, gives the expression of the HNSW index, which thus serves the view,
 * and a type without dimensions.
 */
function columnsOf(
  index: Pick<IndexRow, 'no' | 'model' | 'splitter'> & { storage: Storage | null },
): RawBuilder<unknown> {
  const { objects, parts } = tablesOf(index.no);
  const dimensions = sql.lit(index.model.dimensions);
  const { fields } = index.splitter;
  const [full = '', half = ''] =
    index.storage === 'halfvec' ? ['halfvec_to_vector', 'halfvec'] : ['vector', 'vector_to_halfvec'];
  const paths = fields === undefined ? sql`null` : sql`array[${sql.join(fields.map((field) => sql.lit(field)))}]`;
  return sql`
    select
      p.object_id,
      case when not p.is_average then p.part end as part,
      reembed.part_text(o.payload, ${paths}::text[], p.text_range) as text,
      o.payload,
      o.metadata,
      o.version,
      ${sql.raw(full)}(p.embedding, ${dimensions}, true) as embedding,
      ${sql.raw(half)}(p.embedding, ${dimensions}, true) as embedding_half
    from ${parts} p
    join ${objects} o on o.index_no = ${sql.lit(index.no)} and o.object_id = p.object_id
    where not o.deleted and not o.failed`;
}

/** The same columns without rows. */
const NOTHING = sql`
  select null::text collate "C" as object_id, null::int as part, null::text as text, null::jsonb as payload,
    null::jsonb as metadata, null::bigint as version, null::vector as embedding, null::halfvec as embedding_half
  where false`;

/** Drops a view; one that views of others read stays, without rows. */
async function removeView(trx: Trx, view: string): Promise<void> {
  const { rows } = await sql<{ isRead: boolean }>`
    select exists (
      select from pg_depend d
      join pg_rewrite r on r.oid = d.objid
      where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
        and d.refobjid = c.oid and r.ev_class <> c.oid
    ) as "isRead"
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'reembed' and c.relname = ${view} and c.relkind = 'v'`.execute(trx);
  if (!rows[0]) return;
  if (rows[0].isRead) await createView(trx, view, NOTHING);
  else await sql`drop view ${sql.id('reembed', view)}`.execute(trx);
}

/** Views that one call brings. */
const MAX_ALIGNED = 1_000;

/**
 * Brings the views that do not read what their alias points to: those that readers held up, and those of aliases that
 * are older than views. Waits for each at most 0.3 seconds, and returns the names of the aliases whose views stay behind.
 */
export async function alignSearchViews(db: Db): Promise<string[]> {
  const behind: string[] = [];
  for (const alias of await listBehind(db)) {
    const isThere = await transaction(db, async (trx) => {
      await lockNames(trx); // the alias does not move meanwhile
      return followAliases(trx, [alias]);
    });
    if (!isThere) behind.push(alias);
  }
  return behind;
}

/** Lists aliases, existing or deleted, whose view reads something else. */
export async function listBehind(db: Db): Promise<string[]> {
  const { rows } = await sql<{ alias: string }>`
    select coalesce(a.name, v.alias) as alias
    from reembed.aliases a
    full join reembed.search_views v on v.alias = a.name
    where a.index_no is distinct from v.index_no
    order by 1
    limit ${MAX_ALIGNED}`.execute(db);
  return rows.map(({ alias }) => alias);
}

/** Whether the view of an alias still reads an index that is being deleted, after a try to bring it. */
export async function areViewsBehind(db: Db, indexNo: number): Promise<boolean> {
  const isRead = async () => {
    const { rows } = await sql`select from reembed.search_views where index_no = ${indexNo} limit 1`.execute(db);
    return rows.length > 0;
  };
  if (!(await isRead())) return false;
  await alignSearchViews(db);
  return isRead();
}
