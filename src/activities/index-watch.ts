import { WORKFLOW } from '../contract/names.ts';
import type { Db } from '../store/database.ts';
import { isBeingBuilt } from '../store/protocol/locks.ts';
import type { IndexRow } from '../store/schema.ts';
import { hasParts, isVectorIndexReady } from '../store/vector-index.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Writes within this time share one check. */
const LOOK_AFTER_MS = 5_000;
/** How long a ready index is not checked again: it stays unless someone drops it manually. */
const READY_FOR_MS = 600_000;

/** Whether an index has enough parts for an HNSW index but has none, and no reindex will build it. */
export async function isVectorIndexDue(db: Db, index: IndexRow, afterParts: number): Promise<boolean> {
  if (await isVectorIndexReady(db, index)) return false;
  return (await hasParts(db, index, afterParts)) && !(await isBeingBuilt(db, index.no));
}

/**
 * Starts the HNSW build of indexes that grow by writes too small to check for themselves. Writes cost nothing: some
 * seconds later one check covers all of them. Any process that finds the build due starts the one workflow of that
 * index; checks lost when a process dies are made up by the hourly maintenance.
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
        log.warn({ index: index.name, error }, 'the check for a missing HNSW index failed'),
      );
    }, LOOK_AFTER_MS);
    timer.unref();
  };
}
