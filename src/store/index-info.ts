import { type RawBuilder, sql } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import type { IndexInfo, ReindexLock } from '../contract/indexes.ts';
import { resolveVectorIndex } from '../contract/vector-index.ts';
import { SharedReads } from '../cpu/shared-reads.ts';
import { isDistributed } from './citus/layout.ts';
import { estimatedRowsOfShards, tableSizeSql } from './citus/sizes.ts';
import { type Db, transaction } from './database.ts';
import { listIndexes } from './indexes.ts';
import { readTables, tablesOf } from './partitions.ts';
import { type Lock, listLocks } from './protocol/locks.ts';
import type { IndexRow } from './schema.ts';
import { codeOf, SQLSTATE } from './sqlstate.ts';
import { describeSearch, isVectorIndexReady } from './vector-index.ts';

/** Max time for the exact counts of one index. */
const COUNT_MS = 5_000;

type Counts = Pick<IndexInfo, 'objects' | 'parts' | 'failed' | 'tombstones' | 'bytes' | 'estimated'>;

const lists = new WeakMap<Db, SharedReads<IndexInfo[]>>();

/** Lists all indexes with counts, aliases and locks, by name. Each database has at most one list read in progress. */
export function listIndexInfos(db: Db): Promise<IndexInfo[]> {
  const shared = lists.get(db) ?? new SharedReads<IndexInfo[]>();
  lists.set(db, shared);
  return shared.read('', () => readAll(db));
}

async function readAll(db: Db): Promise<IndexInfo[]> {
  const infos: IndexInfo[] = [];
  for (const index of await listIndexes(db)) {
    try {
      infos.push(await indexInfo(db, index));
    } catch (error) {
      // It was deleted after it was listed.
      if (!(error instanceof ReembedError && error.type === 'IndexNotFound')) throw error;
    }
  }
  return infos;
}

/**
 * Describes one index. The counts are exact if they can be read within some seconds; otherwise they come from
 * Postgres's statistics and are marked as estimated. Error: `IndexNotFound`.
 */
export async function indexInfo(db: Db, index: IndexRow): Promise<IndexInfo> {
  const { no, name, state, removedVersion: _removed, builtByLock: _built, createTime, ...config } = index;
  const counts = await readTables(index, () => countIndex(db, no));
  const aliases = await db
    .selectFrom('reembed.aliases')
    .select('name')
    .where('index_no', '=', no)
    .orderBy('name')
    .execute();
  const lock = (await listLocks(db)).find(({ sourceNo, destNo }) => sourceNo === no || destNo === no);
  const ready = await isVectorIndexReady(db, index);
  return {
    name,
    state,
    ...config,
    description: describeSearch(config, ready),
    storage: config.storage ?? 'vector',
    vectorIndex: resolveVectorIndex(config),
    vectorIndexReady: ready,
    ...counts,
    aliases: aliases.map((alias) => alias.name),
    lock: lock ? await toReindexLock(db, lock) : null,
    createTime: createTime.toISOString(),
  };
}

/** Counts an index; after `withinMs` milliseconds it falls back to estimates. */
export async function countIndex(db: Db, no: number, withinMs = COUNT_MS): Promise<Counts> {
  const { objects, parts } = tablesOf(no);
  const [objectsName, partsName] = [`reembed.objects_${no}`, `reembed.parts_${no}`];
  const total = async (table: string) => tableSizeSql(db, table, 'total');
  const bytes = sql`${await total(objectsName)} + ${await total(partsName)} as bytes`;
  try {
    return await transaction(db, async (trx) => {
      await sql`set local statement_timeout = ${sql.lit(withinMs)}`.execute(trx);
      const { rows } = await sql<Counts>`
        select p.parts, o.objects, o.failed, o.tombstones, false as estimated, ${bytes}
        from (select count(*) as parts from ${parts}) p,
          (
            select
              count(*) filter (where not deleted) as objects,
              count(*) filter (where failed) as failed,
              count(*) filter (where deleted) as tombstones
            from ${objects}
          ) o`.execute(trx);
      return rows[0] as Counts;
    });
  } catch (error) {
    if (codeOf(error) !== SQLSTATE.queryCanceled) throw error;
  }
  if (await isDistributed(db)) return estimateOnNodes(db, [objectsName, partsName], bytes);
  // The partial indexes on deleted and on failed rows have their own statistics.
  const { rows } = await sql<Counts>`
    select
      greatest(0, o.reltuples - deleted.tuples)::bigint as objects,
      greatest(0, p.reltuples)::bigint as parts,
      failed.tuples::bigint as failed,
      deleted.tuples::bigint as tombstones,
      true as estimated,
      ${bytes}
    from pg_class o, pg_class p,
      lateral (${tuplesOf(sql`o.oid`, 'deleted')}) deleted,
      lateral (${tuplesOf(sql`o.oid`, 'failed')}) failed
    where o.oid = ${objectsName}::regclass and p.oid = ${partsName}::regclass`.execute(db);
  return rows[0] as Counts;
}

/** Failed objects and tombstones are not distinguished from others. */
async function estimateOnNodes(
  db: Db,
  [objects, parts]: [string, string],
  bytes: RawBuilder<unknown>,
): Promise<Counts> {
  const { rows } = await sql<{ bytes: number }>`select ${bytes}`.execute(db);
  return {
    objects: Math.round(await estimatedRowsOfShards(db, objects)),
    parts: Math.round(await estimatedRowsOfShards(db, parts)),
    failed: 0,
    tombstones: 0,
    estimated: true,
    bytes: rows[0]?.bytes ?? 0,
  };
}

/** Selects the number of rows in a partial index, by Postgres's statistics. */
function tuplesOf(table: RawBuilder<unknown>, predicate: 'deleted' | 'failed'): RawBuilder<unknown> {
  return sql`
    select coalesce(max(greatest(0, c.reltuples)), 0) as tuples
    from pg_index i
    join pg_class c on c.oid = i.indexrelid
    where i.indrelid = ${table} and pg_get_expr(i.indpred, i.indrelid) = ${predicate}`;
}

async function toReindexLock(db: Db, lock: Lock): Promise<ReindexLock> {
  const names = await db
    .selectFrom('reembed.indexes')
    .select(['no', 'name'])
    .where('no', 'in', [lock.sourceNo, lock.destNo])
    .execute();
  const nameOf = (no: number) => names.find((row) => row.no === no)?.name ?? String(no);
  return {
    source: nameOf(lock.sourceNo),
    dest: nameOf(lock.destNo),
    taskId: lock.taskId,
    lock: lock.lock,
    lockTime: lock.lockTime.toISOString(),
    lockExpireTime: lock.lockExpireTime.toISOString(),
    draining: lock.draining,
    mirror: lock.mirror,
  };
}
