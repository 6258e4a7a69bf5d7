import { type FieldIssue, ReembedError } from '../contract/errors.ts';
import type { Accepted } from '../contract/workflow-inputs.ts';
import type { Db } from './database.ts';
import { resolveIndex } from './indexes.ts';
import type { IndexRow } from './schema.ts';
import { stageFirst, stageItems } from './staging.ts';

type Versioned = { id: string; version?: number | undefined };

const STAGE_BATCH = 500;

/** The index to write to. Errors: `IndexNotFound`, `IndexDeleting`. */
export async function requireWritable(db: Db, nameOrAlias: string): Promise<IndexRow> {
  const index = await resolveIndex(db, nameOrAlias);
  if (index.state === 'deleting') throw new ReembedError('IndexDeleting', `the index ${index.name} is being deleted`);
  return index;
}

/** What is wrong with an item's version, if anything: an index takes versions from its client or gives them itself. */
export function versionIssue(index: IndexRow, item: Versioned, path: string): FieldIssue | undefined {
  if (index.versioning === 'external' && item.version === undefined) {
    return { path: `${path}.version`, message: `needed: ${index.name} takes the versions of its client` };
  }
  if (index.versioning === 'internal' && item.version !== undefined) {
    return { path: `${path}.version`, message: `not wanted: ${index.name} gives the versions itself` };
  }
  return undefined;
}

/**
 * Takes a task's items in: checks their versions, gives the task its own, and stages them. When that fails, some may be
 * staged: only the caller knows whether the name is its alone, so that they can be dropped.
 */
export async function admitItems(
  db: Db,
  request: {
    staging: string;
    index: IndexRow;
    items: readonly Versioned[];
    field: 'items' | 'ids';
    version?: number | null;
  },
): Promise<Accepted> {
  const { staging, index, items, field } = request;
  const issues = items.flatMap((item, at) => versionIssue(index, item, `${field}.${at}`) ?? []);
  if (issues.length > 0) throw new ReembedError('InvalidInput', 'versions do not fit the index', { issues });
  const first = items.slice(0, STAGE_BATCH);
  const version = request.version ?? (await stageFirst(db, staging, first));
  if (request.version != null) await stageItems(db, staging, 0, first);
  for (let at = STAGE_BATCH; at < items.length; at += STAGE_BATCH) {
    await stageItems(db, staging, at, items.slice(at, at + STAGE_BATCH));
  }
  return { version, total: items.length, staging };
}
