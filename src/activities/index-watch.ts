import { WORKFLOW } from '../contract/names.ts';
import type { Db } from '../store/database.ts';
import { isBeingBuilt } from '../store/protocol/locks.ts';
import type { IndexRow } from '../store/schema.ts';
import { hasParts, isVectorIndexReady } from '../store/vector-index.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Writes of this long are looked at together. */
const LOOK_AFTER_MS = 5_000;
/** An index that is there stays, unless someone drops it by hand. */
const READY_FOR_MS = 600_000;

/** Whether an index has enough parts for an HNSW index and has none, and no reindex is about to build one. */
export async function isVectorIndexDue(db: Db, index: IndexRow, afterParts: number): Promise<boolean> {
  if (await isVectorIndexReady(db, index)) return false;
  return (await hasParts(db, index, afterParts)) && !(await isBeingBuilt(db, index.no));
}

/**
 * Starts the HNSW build of indexes that grow by writes too small to look for themselves. A write costs nothing: some
 * seconds after it one look is taken for all writes of that time. Whichever process finds it due starts the one workflow
 * of that index; what a process that died has not looked at, the hourly maintenance does.
 */
export function createIndexWatch(deps: ActivityDependencies): (index: IndexRow, taskQueue: string) => void {
  const { background, client, settings, log } = deps;
  const waiting = new Set<number>();
  const readyUntilMs = new Map<number, number>();

  const look = async (index: IndexRow, taskQueue: string) => {
    if (await isVectorIndexReady(background, index)) {
      if (readyUntilMs.size > 1_000) readyUntilMs.clear();
      readyUntilMs.set(index.no, Date.now() + READY_FOR_MS);
    } else if (await isVectorIndexDue(background, index, settings.vectorIndexAfterParts)) {
      await client.workflow.start(WORKFLOW.buildIndex, {
        workflowId: `build-index/${taskQueue}/${index.no}`,
        workflowIdConflictPolicy: 'USE_EXISTING',
        taskQueue,
        args: [index.no],
        staticSummary: `builds the HNSW index of ${index.name}`,
      });
    }
  };

  return (index, taskQueue) => {
    if (waiting.has(index.no) || (readyUntilMs.get(index.no) ?? 0) > Date.now()) return;
    waiting.add(index.no);
    const timer = setTimeout(() => {
      waiting.delete(index.no);
      look(index, taskQueue).catch((error) =>
        log.warn({ index: index.name, error }, 'the look for an HNSW index failed'),
      );
    }, LOOK_AFTER_MS);
    timer.unref();
  };
}
