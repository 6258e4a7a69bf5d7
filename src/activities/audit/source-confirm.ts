import { setTimeout as delay } from 'node:timers/promises';
import { findSource } from '../../store/sources/rows.ts';
import { readPoll } from '../../store/sources/state.ts';
import { type Difference, type Finding, type LookedAt, lookAt } from './source-look.ts';

/** Looks after the first, and the time between two of them. */
const LOOKS = 4;
const LOOK_AGAIN_MS = 1_000;
/** Max. time of two passes of a poll, and how often they are counted. */
const PASSES_MS = 30_000;
const COUNT_MS = 200;

export interface Confirmed {
  differences: Map<string, Difference>;
  /** Objects that are being changed: what differs now may be gone in a moment. */
  onTheirWay: string[];
}

/**
 * Finds the differences that stay. A difference counts if the follower has nothing to bring for its row, and its object
 * did not change between two looks: then the last change of the row was synced before the first of them.
 */
export async function confirmDifferences(
  look: () => Promise<LookedAt>,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Confirmed> {
  const differences = new Map<string, Difference>();
  let before = await lookAt(await look(), ids);
  let open = ids.filter((id) => before.get(id)?.difference);
  for (let round = 0; round < LOOKS && open.length > 0; round++) {
    const passed = await pause(await look(), open, { before, signal });
    const now = await lookAt(await look(), open);
    const left: string[] = [];
    for (const id of open) {
      const [earlier, later] = [before.get(id), now.get(id)];
      if (!later?.difference) continue;
      if (earlier && stays(earlier, later, passed)) differences.set(id, later.difference);
      else left.push(id);
    }
    [before, open] = [now, left];
  }
  return { differences, onTheirWay: open };
}

function stays(before: Finding, now: Finding, passed: boolean): boolean {
  if (before.difference === null || now.isOnItsWay || before.change !== now.change) return false;
  return !now.isRecent || (before.isRecent && passed);
}

/** Waits between two looks. Returns whether rows that a poll looks at again have been looked at. */
async function pause(
  { db, source }: LookedAt,
  open: readonly string[],
  { before, signal }: { before: ReadonlyMap<string, Finding>; signal: AbortSignal },
): Promise<boolean> {
  await delay(LOOK_AGAIN_MS, undefined, { signal });
  if (!open.some((id) => before.get(id)?.isRecent)) return true;
  const { passes } = await readPoll(db, source.no);
  for (const endMs = Date.now() + PASSES_MS; Date.now() < endMs; await delay(COUNT_MS, undefined, { signal })) {
    // Nobody syncs anything.
    if ((await findSource(db, source.name))?.state === 'stopped') return true;
    // The one that ran at the first look may have been past the row.
    if ((await readPoll(db, source.no)).passes >= passes + 2) return true;
  }
  return false;
}
