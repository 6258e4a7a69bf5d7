import { type FieldIssue, ReembedError } from '../contract/errors.ts';
import type { Accepted } from '../contract/workflow-inputs.ts';
import { admitOnce } from './admissions.ts';
import { type Db, transaction } from './database.ts';
import { findIndexByNo, resolveIndex } from './indexes.ts';
import type { IndexRow } from './schema.ts';
import { dropFailed, findFinished, stageFirst, stageItems } from './staging.ts';

type Versioned = { id: string; version?: number | undefined };

const STAGE_BATCH = 500;

/** The index to write to. Errors: `IndexNotFound`, `IndexDeleting`. */
export async function requireWritable(db: Db, nameOrAlias: string): Promise<IndexRow> {
  const index = await resolveIndex(db, nameOrAlias);
  if (index.state === 'deleting') throw new ReembedError('IndexDeleting', `the index ${index.name} is being deleted`);
  return index;
}

/** The number of the index that a write named; null: it named an alias. */
export function boundTo(index: IndexRow, nameOrAlias: string): number | null {
  return index.name === nameOrAlias ? index.no : null;
}

/**
 * The index to which an accepted write goes: the one that it named then, and no other of that name, or where its alias
 * points now. `indexNo` is that of `boundTo`; absent: whatever the name means now. Errors: `IndexDeleted`,
 * `IndexDeleting`, `IndexNotFound`.
 */
export async function requireAccepted(
  db: Db,
  nameOrAlias: string,
  indexNo: number | null | undefined,
): Promise<IndexRow> {
  if (typeof indexNo === 'number' && !(await findIndexByNo(db, indexNo))) throw deletedSince(nameOrAlias);
  const index = await requireWritable(db, nameOrAlias);
  if (indexNo === undefined || boundTo(index, nameOrAlias) === indexNo) return index;
  throw deletedSince(nameOrAlias);
}

/** The error that the index or alias of an accepted task is gone, and another may have its name. */
export function deletedSince(name: string): ReembedError {
  return new ReembedError('IndexDeleted', `${name} was deleted since this task was accepted`, {
    reason: 'index-deleted',
  });
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

export interface Items {
  /** Under what they are staged. */
  staging: string;
  index: IndexRow;
  items: readonly Versioned[];
  field: 'items' | 'ids';
  /** The name that the caller used. */
  name: string;
}

/**
 * Takes a task's items in: checks their versions, gives the task its own, and stages them. When that fails, some may be
 * staged: the name is the caller's alone, so that they can be dropped.
 */
export async function admitItems(db: Db, request: Items): Promise<Accepted> {
  const { staging, index, items, name } = request;
  checkVersions(request);
  const version = await stageFirst(db, staging, items.slice(0, STAGE_BATCH));
  await stageFrom(db, request, STAGE_BATCH);
  return { version, total: items.length, indexNo: boundTo(index, name), staging };
}

/**
 * The same for a task that may be taken in again, because a worker died before it could say that it had: the version is
 * the one that was drawn first, or that of an earlier run, the index is the one that was named first, and items that are
 * written already are not staged again. The first time, the failed list of an earlier task of the same id is forgotten,
 * unless this is that task once more.
 */
export async function admitItemsOnce(
  db: Db,
  request: Items & { taskId: string; version: number | null; again: boolean },
): Promise<Accepted> {
  const { staging, index, items, name, taskId, again } = request;
  checkVersions(request);
  const { version, indexNo } = await transaction(db, async (trx) => {
    const admission = await admitOnce(trx, staging, { version: request.version, indexNo: boundTo(index, name) });
    if (admission.isFirst && !again) await dropFailed(trx, taskId);
    return admission;
  });
  if (!(await findFinished(db, staging))) await stageFrom(db, request, 0);
  return { version, total: items.length, indexNo, staging };
}

function checkVersions({ index, items, field }: Items): void {
  const issues = items.flatMap((item, at) => versionIssue(index, item, `${field}.${at}`) ?? []);
  if (issues.length > 0) throw new ReembedError('InvalidInput', 'versions do not fit the index', { issues });
}

async function stageFrom(db: Db, { staging, items }: Items, first: number): Promise<void> {
  for (let at = first; at < items.length; at += STAGE_BATCH) {
    await stageItems(db, staging, at, items.slice(at, at + STAGE_BATCH));
  }
}
