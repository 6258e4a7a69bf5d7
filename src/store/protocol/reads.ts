import { type Selectable, sql } from 'kysely';
import { invalidField, ReembedError } from '../../contract/errors.ts';
import type { ReadShares } from '../../contract/read-shares.ts';
import type { Db, Trx } from '../database.ts';
import { resolveIndex, toIndexRow } from '../indexes.ts';
import type { IndexesTable, IndexRow } from '../schema.ts';
import { lockLost } from './locks.ts';

/** The searches by an alias that another index than the serving one gets too. */
export interface Reads extends ReadShares {
  lock: string;
  /** The destination of the lock. */
  other: IndexRow;
}

type IndexColumns = Selectable<IndexesTable>;

interface ReadsColumns extends ReadShares {
  sampled: number | null;
  watch: string | null;
  reads_lock: string | null;
  /** As JSON: in one statement with the index, since searches wait for it. */
  other: Omit<IndexColumns, 'create_time'> & { create_time: string };
}

/** What a search needs to know about the name that it was given. */
export interface Resolved {
  index: IndexRow;
  reads: Reads | undefined;
  /** Share of the searches that is sampled. */
  sampled: number;
  /** The lock under which the searches that the index answers are counted. */
  watch: string | undefined;
}

/**
 * Returns the index that a name or an alias stands for now and, for an alias, the share of its searches that is sampled,
 * and the reads of a lock with that index as its source. Reads and watches end with their lock. Error: `IndexNotFound`.
 */
export async function resolveWithReads(db: Db, nameOrAlias: string): Promise<Resolved> {
  const { rows } = await sql<IndexColumns & ReadsColumns>`
    select i.*, s.share as sampled, w.lock as watch, r.lock as reads_lock, r.shadow, r.canary,
      case when r.lock is not null then (select to_jsonb(o) from reembed.indexes o where o.no = l.dest_no) end as other
    from reembed.indexes i
    left join reembed.search_sampling s on s.alias = ${nameOrAlias}
    left join reembed.reindex_locks l on l.source_no = i.no and l.lock_expire_time > now()
    left join reembed.reads r on r.lock = l.lock and r.alias = ${nameOrAlias} and (r.shadow > 0 or r.canary > 0)
    left join reembed.watches w on w.lock = l.lock
    where i.name = ${nameOrAlias}
      or i.no = (select index_no from reembed.aliases where name = ${nameOrAlias})`.execute(db);
  const [row] = rows;
  if (!row) throw new ReembedError('IndexNotFound', `there is no index or alias ${nameOrAlias}`);
  const { reads_lock: lock, shadow, canary } = row;
  const index = toIndexRow(row);
  const found = { index, sampled: row.sampled ?? 0, watch: row.watch ?? undefined };
  if (lock === null) return { ...found, reads: undefined };
  const other = toIndexRow({ ...row.other, create_time: new Date(row.other.create_time) });
  return { ...found, reads: { lock, other, shadow, canary } };
}

/**
 * Sets the shares of the searches by an alias that run on the destination of a lock, which must have all objects of the
 * source. Figures of earlier locks of the task are dropped. Error: `LockLost`.
 */
export async function setReads(
  db: Db | Trx,
  { lock, taskId, alias, shadow, canary }: ReadShares & { lock: string; taskId: string; alias: string },
): Promise<void> {
  const { rows } = await sql`
    insert into reembed.reads (lock, task_id, alias, serving, other, shadow, canary)
    select l.lock, ${taskId}, ${alias}, serving.name, other.name, ${shadow}, ${canary}
    from reembed.reindex_locks l
    join reembed.indexes serving on serving.no = l.source_no
    join reembed.indexes other on other.no = l.dest_no
    where l.lock = ${lock}::uuid
    on conflict (lock) do update set shadow = excluded.shadow, canary = excluded.canary
    returning lock`.execute(db);
  if (rows.length === 0) throw lockLost(lock);
  await sql`delete from reembed.reads where task_id = ${taskId} and lock <> ${lock}::uuid`.execute(db);
}

/**
 * Checks that a reindex with shadow or canary reads or a watch switches an alias. Errors: `IndexNotFound`,
 * `InvalidInput`.
 */
export async function checkReads(
  db: Db,
  {
    source,
    alias,
    shadow = 0,
    canary = 0,
    watch,
  }: Partial<ReadShares> & { source: string; alias?: string | undefined; watch?: object | undefined },
): Promise<void> {
  if (shadow === 0 && canary === 0 && watch === undefined) return;
  if (alias !== undefined || (await resolveIndex(db, source)).name !== source) return;
  const field = shadow > 0 ? 'shadow' : canary > 0 ? 'canary' : 'watch';
  throw invalidField(
    field,
    `needs an alias, whose searches it takes: ${source} is an index, and \`alias\` is not given`,
  );
}
