import { sql } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import type { IndexInfo, ReindexLock } from '../contract/indexes.ts';
import type { Db } from './database.ts';
import { listIndexes } from './indexes.ts';
import { readTables, tablesOf } from './partitions.ts';
import { type Lock, listLocks } from './protocol/locks.ts';
import type { IndexRow } from './schema.ts';
import { describeSearch, isVectorIndexReady, vectorIndexKind } from './vector-index.ts';

/** All indexes with counts, aliases and locks, by name. */
export async function listIndexInfos(db: Db): Promise<IndexInfo[]> {
  const infos: IndexInfo[] = [];
  for (const index of await listIndexes(db)) {
    try {
      infos.push(await indexInfo(db, index));
    } catch (error) {
      // Deleted since it was listed.
      if (!(error instanceof ReembedError && error.type === 'IndexNotFound')) throw error;
    }
  }
  return infos;
}

/** What there is to know about one index. The counts are exact: they read the whole index. Error: `IndexNotFound`. */
export async function indexInfo(db: Db, index: IndexRow): Promise<IndexInfo> {
  const { no, name, state, removedVersion: _removed, builtByLock: _built, createTime, ...config } = index;
  const { objects, parts } = tablesOf(no);
  const query = sql<Pick<IndexInfo, 'objects' | 'parts' | 'failed' | 'tombstones' | 'bytes'>>`
    select
      (select count(*) from ${parts} where index_no = ${no}) as parts,
      count(*) filter (where not deleted) as objects,
      count(*) filter (where failed) as failed,
      count(*) filter (where deleted) as tombstones,
      pg_total_relation_size(${`reembed.objects_${no}`}::regclass)
        + pg_total_relation_size(${`reembed.parts_${no}`}::regclass) as bytes
    from ${objects}
    where index_no = ${no}`;
  const { rows } = await readTables(index, () => query.execute(db));
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
    vectorIndex: vectorIndexKind(config.model.dimensions),
    vectorIndexReady: ready,
    ...(rows[0] as Pick<IndexInfo, 'objects' | 'parts' | 'failed' | 'tombstones' | 'bytes'>),
    aliases: aliases.map((alias) => alias.name),
    lock: lock ? await toReindexLock(db, lock) : null,
    createTime: createTime.toISOString(),
  };
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
