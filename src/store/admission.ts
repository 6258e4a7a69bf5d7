import { type FieldIssue, ReembedError } from '../contract/errors.ts';
import type { Accepted } from '../contract/hand-over.ts';
import { MAX_ISSUES } from '../contract/issues.ts';
import { admitOnce, lastAdmission } from './admissions.ts';
import { type Db, transaction } from './database.ts';
import { requireActive, resolveIndex } from './indexes.ts';
import { readyVectorIssue, withSpace } from './ready-vectors.ts';
import type { IndexRow } from './schema.ts';
import { dropFailed, findFinished, stageFirst, stageItems } from './staging.ts';

type Versioned = { id: string; version?: number | undefined };

const STAGE_BATCH = 500;

/** Resolves the index to write to. Errors: `IndexNotFound`, `IndexDeleting`. */
export async function requireWritable(db: Db, nameOrAlias: string): Promise<IndexRow> {
  const index = await resolveIndex(db, nameOrAlias);
  requireActive(index);
  return index;
}

/** Returns the number of the index that a write names, or null if it names an alias. */
export function boundTo(index: IndexRow, nameOrAlias: string): number | null {
  return index.name === nameOrAlias ? index.no : null;
}

/**
 * Resolves the index of an accepted write: the same index that it named then, or the one that its alias points to now.
 * `indexNo` comes from `boundTo`; if absent, the name is resolved again. Errors: `IndexDeleted`, `IndexDeleting`,
 * `IndexNotFound`.
 */
export async function requireAccepted(
  db: Db,
  nameOrAlias: string,
  indexNo: number | null | undefined,
): Promise<IndexRow> {
  const index = await whileBound(nameOrAlias, indexNo, () => resolveIndex(db, nameOrAlias));
  // Another index may have got its name.
  if (indexNo !== undefined && boundTo(index, nameOrAlias) !== indexNo) throw deletedSince(nameOrAlias);
  requireActive(index);
  return index;
}

/** Runs a step of a write that `boundTo` has bound to an index. If the name is gone, so is the index: `IndexDeleted`. */
export async function whileBound<T>(
  name: string,
  indexNo: number | null | undefined,
  step: () => Promise<T>,
): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const isGone = error instanceof ReembedError && error.type === 'IndexNotFound';
    throw isGone && typeof indexNo === 'number' ? deletedSince(name) : error;
  }
}

/** Creates the error for an accepted task whose index or alias is gone, even if another one has its name now. */
export function deletedSince(name: string): ReembedError {
  return new ReembedError('IndexDeleted', `${name} was deleted after this task was accepted`, {
    reason: 'index-deleted',
  });
}

/** Checks an item against the index it is written to; `path` is empty for the item alone. */
export function itemIssue(index: IndexRow, item: Versioned, path: string): FieldIssue | undefined {
  return versionIssue(index, item, path) ?? readyVectorIssue(index, item, path);
}

/** Checks that an item has a version if the index has external versioning, and none otherwise. */
function versionIssue(index: IndexRow, item: Versioned, path: string): FieldIssue | undefined {
  const field = path === '' ? 'version' : `${path}.version`;
  if (index.versioning === 'external' && item.version === undefined) {
    return { path: field, message: `required: ${index.name} has external versioning` };
  }
  if (index.versioning === 'internal' && item.version !== undefined) {
    return { path: field, message: `not allowed: ${index.name} has internal versioning` };
  }
  return undefined;
}

export interface Items {
  /** The name of their staging. */
  staging: string;
  index: IndexRow;
  items: readonly Versioned[];
  field: 'items' | 'ids';
  /** The index or alias that the caller named. */
  name: string;
}

/**
 * Admits a task's items: checks their versions, assigns the task's version, and stages them. If it fails, some items
 * may already be staged; the staging name belongs to this caller only, so they can be dropped.
 */
export async function admitItems(db: Db, request: Items): Promise<Accepted> {
  const { staging, index, items, name } = request;
  checkItems(request);
  const version = await stageFirst(db, staging, staged(index, items.slice(0, STAGE_BATCH)));
  await stageFrom(db, request, STAGE_BATCH);
  return { version, total: items.length, indexNo: boundTo(index, name), staging };
}

/**
 * The same for a task that may be admitted repeatedly, because a worker died before it could report. Keeps the version
 * that was assigned first and the index that was named first, also by the run that a restart continues, and does not
 * stage items again that are already written. The first admission clears the failed list of an earlier task with the same id, unless
 * `again` says that it is the same task.
 */
export async function admitItemsOnce(
  db: Db,
  request: Items & { taskId: string; version: number | null; again: boolean },
): Promise<Accepted> {
  const { staging, index, items, name, taskId, again } = request;
  checkItems(request);
  const { version, indexNo } = await transaction(db, async (trx) => {
    const before = again ? await lastAdmission(trx, taskId) : undefined;
    const admission = await admitOnce(trx, staging, {
      version: request.version ?? before?.version ?? null,
      indexNo: before ? before.indexNo : boundTo(index, name),
    });
    if (admission.isFirst && !again) await dropFailed(trx, taskId);
    return admission;
  });
  if (!(await findFinished(db, staging))) await stageFrom(db, request, 0);
  return { version, total: items.length, indexNo, staging };
}

function checkItems({ index, items, field }: Items): void {
  const issues = items.flatMap((item, at) => itemIssue(index, item, `${field}.${at}`) ?? []);
  if (issues.length === 0) return;
  const isVersion = issues[0]?.path.endsWith('.version');
  const what = isVersion ? 'versions do not match the index' : 'ready vectors do not match the index';
  throw new ReembedError('InvalidInput', what, { issues: issues.slice(0, MAX_ISSUES) });
}

async function stageFrom(db: Db, { staging, index, items }: Items, first: number): Promise<void> {
  for (let at = first; at < items.length; at += STAGE_BATCH) {
    await stageItems(db, staging, at, staged(index, items.slice(at, at + STAGE_BATCH)));
  }
}

function staged(index: IndexRow, items: readonly Versioned[]): unknown[] {
  return items.map((item) => withSpace(index, item));
}
