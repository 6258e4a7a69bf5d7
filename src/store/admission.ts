import { type FieldIssue, ReembedError } from '../contract/errors.ts';
import type { Accepted } from '../contract/workflow-inputs.ts';
import { admitOnce } from './admissions.ts';
import { type Db, transaction } from './database.ts';
import { resolveIndex } from './indexes.ts';
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
}

/**
 * Takes a task's items in: checks their versions, gives the task its own, and stages them. When that fails, some may be
 * staged: the name is the caller's alone, so that they can be dropped.
 */
export async function admitItems(db: Db, request: Items): Promise<Accepted> {
  const { staging, items } = request;
  checkVersions(request);
  const version = await stageFirst(db, staging, items.slice(0, STAGE_BATCH));
  await stageFrom(db, request, STAGE_BATCH);
  return { version, total: items.length, staging };
}

/**
 * The same for a task that may be taken in again, because a worker died before it could say that it had: the version is
 * the one that was drawn first, or that of an earlier run, and items that are written already are not staged anew. The
 * first time the failed list of an earlier task of the same id is forgotten, unless this is that task once more.
 */
export async function admitItemsOnce(
  db: Db,
  request: Items & { taskId: string; version: number | null; again: boolean },
): Promise<Accepted> {
  const { staging, items, taskId, again } = request;
  checkVersions(request);
  const version = await transaction(db, async (trx) => {
    const admission = await admitOnce(trx, staging, request.version);
    if (admission.isFirst && !again) await dropFailed(trx, taskId);
    return admission.version;
  });
  if (!(await findFinished(db, staging))) await stageFrom(db, request, 0);
  return { version, total: items.length, staging };
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
