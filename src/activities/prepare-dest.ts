import { Context } from '@temporalio/activity';
import type { PrepareDestRequest, PrepareDestResult } from '../contract/reindex-activities.ts';
import type { Db } from '../store/database.ts';
import { requireLock } from '../store/protocol/locks.ts';
import { findOwnContent, removeLeftOvers } from '../store/protocol/origins.ts';

/** Max objects removed from a destination in one transaction. */
const REMOVE_BATCH = 1_000;

/** Refuses a destination with its own content, or removes that content, as requested. Error: `LockLost`. */
export async function prepareDest(db: Db, request: PrepareDestRequest): Promise<PrepareDestResult> {
  const { lock, destExisting } = request;
  await requireLock(db, lock);
  const own = await findOwnContent(db, request);
  if (own.newer + own.unknown > 0 && destExisting === 'refuse') return { ...own, refused: true, removed: 0 };
  return { ...own, refused: false, removed: await removeAllLeftOvers(db, request, true) };
}

/** Removes everything from the destination that the source does not have, page by page. Error: `LockLost`. */
export async function removeAllLeftOvers(
  db: Db,
  { lock, sourceNo, destNo }: Omit<PrepareDestRequest, 'destExisting'>,
  own: boolean,
): Promise<number> {
  let removed = 0;
  for (let after: string | null = null; ; ) {
    Context.current().cancellationSignal.throwIfAborted();
    const page = await removeLeftOvers(db, lock, { sourceNo, destNo }, { own, after, limit: REMOVE_BATCH });
    removed += page.removed;
    ({ after } = page);
    if (after === null) return removed;
  }
}
