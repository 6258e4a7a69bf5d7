import { type Selectable, sql } from 'kysely';
import { invalidField, ReembedError } from '../contract/errors.ts';
import type { IndexConfig } from '../contract/indexes.ts';
import { resolveVectorIndex } from '../contract/vector-index.ts';
import { readIsDistributed } from './citus/layout.ts';
import type { Db, Trx } from './database.ts';
import { createTables } from './partitions.ts';
import { type Claim, requireOwnName } from './placement/names.ts';
import { holdGatesExclusive, lockNames } from './protocol/gate.ts';
import { indexLocked } from './protocol/locks.ts';
import type { IndexesTable, IndexRow } from './schema.ts';
import { followAliases } from './search-views.ts';

/** Converts a row of the table. */
export function toIndexRow(row: Selectable<IndexesTable>): IndexRow {
  return {
    no: row.no,
    name: row.name,
    state: row.state,
    model: row.model,
    metric: row.metric,
    splitter: row.splitter,
    average: row.average,
    versioning: row.versioning,
    ...(row.full_text ? { fullText: row.full_text } : {}),
    ...(row.ready_vectors ? { readyVectors: true } : {}),
    ...(row.storage ? { storage: row.storage } : {}),
    ...(row.vector_index ? { vectorIndex: row.vector_index } : {}),
    removedVersion: row.removed_version,
    builtByLock: row.built_by_lock,
    createTime: row.create_time,
  };
}

/** Serializes the fixed settings of an index: two configurations are equal if these texts are. */
function configKey(config: IndexConfig): string {
  const { model, metric, splitter, average, versioning, fullText, storage } = config;
  const readyVectors = config.readyVectors || undefined;
  const sorted = (value: unknown): unknown =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([, inner]) => inner !== undefined)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, inner]) => [key, sorted(inner)]),
        )
      : value;
  // What is not given is the same as its default.
  const vectors = { storage: storage ?? 'vector', vectorIndex: resolveVectorIndex(config) };
  return JSON.stringify(sorted({ model, metric, splitter, average, versioning, fullText, readyVectors, ...vectors }));
}

/**
 * Finds the index that a name and settings stand for; undefined if it can be created. The fields of the model in
 * `filledIn` were not asked for, so that any value of them is the same. Errors: `IndexExists` with other settings,
 * `NameTaken` by an alias, `IndexDeleting`.
 */
export async function findSameIndex(
  db: Db | Trx,
  name: string,
  config: IndexConfig,
  filledIn: readonly string[] = [],
): Promise<IndexRow | undefined> {
  const existing = await findIndex(db, name);
  if (existing) {
    requireActive(existing);
    const stored: Record<string, unknown> = existing.model;
    const model = { ...config.model, ...Object.fromEntries(filledIn.map((field) => [field, stored[field]])) };
    if (configKey(existing) === configKey({ ...config, model })) return existing;
    throw new ReembedError('IndexExists', `the index ${name} exists with other settings: ${configKey(existing)}`);
  }
  const alias = await db.selectFrom('reembed.aliases').select('name').where('name', '=', name).executeTakeFirst();
  if (alias) throw new ReembedError('NameTaken', `${name} is the name of an alias`);
  return undefined;
}

/**
 * Creates an index, or returns the existing one if its settings are equal; see `findSameIndex`. Errors: `IndexExists`
 * with other settings, `NameTaken` by an alias or another database, `IndexDeleting`, `ClaimNeeded`.
 */
export async function ensureIndex(
  trx: Trx,
  name: string,
  config: IndexConfig,
  { filledIn, claim = null }: { filledIn?: readonly string[] | undefined; claim?: Claim | null } = {},
): Promise<{ index: IndexRow; created: boolean }> {
  await lockNames(trx);
  const existing = await findSameIndex(trx, name, config, filledIn);
  if (existing) return { index: existing, created: false };
  await requireOwnName(trx, 'index', name, claim);
  if (config.fullText && (await readIsDistributed(trx))) {
    const expected = 'must be left out: an index that Citus distributes has no full text';
    throw invalidField('fullText', expected, `fullText ${expected}`);
  }
  const row = await trx
    .insertInto('reembed.indexes')
    .values({
      name,
      model: JSON.stringify(config.model),
      dimensions: config.model.dimensions,
      metric: config.metric,
      splitter: JSON.stringify(config.splitter),
      average: config.average,
      versioning: config.versioning,
      full_text: config.fullText ? JSON.stringify(config.fullText) : null,
      ready_vectors: config.readyVectors ?? false,
      storage: config.storage ?? null,
      vector_index: config.vectorIndex ? JSON.stringify(config.vectorIndex) : null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await createTables(trx, row.no, { fullText: row.full_text !== null, storage: config.storage });
  return { index: toIndexRow(row), created: true };
}

/** Finds the index with exactly this name; ignores aliases. */
export async function findIndex(db: Db | Trx, name: string): Promise<IndexRow | undefined> {
  const row = await db.selectFrom('reembed.indexes').selectAll().where('name', '=', name).executeTakeFirst();
  return row && toIndexRow(row);
}

export async function findIndexByNo(db: Db | Trx, no: number): Promise<IndexRow | undefined> {
  const row = await db.selectFrom('reembed.indexes').selectAll().where('no', '=', no).executeTakeFirst();
  return row && toIndexRow(row);
}

/** Returns the index that a name or an alias stands for now. Error: `IndexNotFound`. */
export async function resolveIndex(db: Db | Trx, nameOrAlias: string): Promise<IndexRow> {
  const { rows } = await sql<Selectable<IndexesTable>>`
    select i.*
    from reembed.indexes i
    where i.name = ${nameOrAlias}
      or i.no = (select index_no from reembed.aliases where name = ${nameOrAlias})`.execute(db);
  if (!rows[0]) throw new ReembedError('IndexNotFound', `there is no index or alias ${nameOrAlias}`);
  return toIndexRow(rows[0]);
}

/** Finds an index by its own name. Error: `IndexNotFound`, which names the index if the name is that of an alias. */
export async function getIndex(db: Db | Trx, name: string): Promise<IndexRow> {
  const index = await findIndex(db, name);
  if (index) return index;
  const meant = await resolveIndex(db, name);
  throw new ReembedError('IndexNotFound', `${name} is an alias of the index ${meant.name}: give the index's own name`);
}

/**
 * Marks an index as being deleted, after which writes and reindexes are refused. With `force` also removes its aliases.
 * Can be repeated. Errors: `IndexNotFound`, `IndexLocked` if an unexpired reindex lock touches it, `IndexAliased`
 * without `force`.
 */
export async function markDeleting(
  trx: Trx,
  name: string,
  options: { force: boolean; ownLock?: string | undefined },
): Promise<IndexRow> {
  const found = await getIndex(trx, name);
  await holdGatesExclusive(trx, found.no);
  const index = await findIndexByNo(trx, found.no);
  if (!index) throw new ReembedError('IndexNotFound', `there is no index ${name}`);
  if (index.state === 'deleting') return index;
  await sql`
    delete from reembed.reindex_locks
    where ${index.no} in (source_no, dest_no)
      and (lock_expire_time <= now() or lock = ${options.ownLock ?? null}::uuid)`.execute(trx);
  const lock = await trx
    .selectFrom('reembed.reindex_locks')
    .select(['task_id', 'mirror'])
    .where((eb) => eb.or([eb('source_no', '=', index.no), eb('dest_no', '=', index.no)]))
    .executeTakeFirst();
  if (lock) throw indexLocked(name, { taskId: lock.task_id, mirror: lock.mirror });
  const aliases = await trx.selectFrom('reembed.aliases').select('name').where('index_no', '=', index.no).execute();
  if (aliases.length > 0 && !options.force) {
    throw new ReembedError(
      'IndexAliased',
      `the alias ${aliases[0]?.name} points to ${name}: move it first, or set force`,
    );
  }
  await trx.deleteFrom('reembed.aliases').where('index_no', '=', index.no).execute();
  await trx.updateTable('reembed.indexes').set({ state: 'deleting' }).where('no', '=', index.no).execute();
  await followAliases(
    trx,
    aliases.map((alias) => alias.name),
  );
  return { ...index, state: 'deleting' };
}

/** Lists all indexes by name. */
export async function listIndexes(db: Db): Promise<IndexRow[]> {
  const rows = await db.selectFrom('reembed.indexes').selectAll().orderBy('name').execute();
  return rows.map(toIndexRow);
}

/** @throws ReembedError `IndexDeleting` if the index is being deleted */
export function requireActive({ name, state }: Pick<IndexRow, 'name' | 'state'>): void {
  if (state === 'deleting') throw new ReembedError('IndexDeleting', `the index ${name} is being deleted`);
}
