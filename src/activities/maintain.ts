import { Context } from '@temporalio/activity';
import type { ControlActivities } from '../contract/activities.ts';
import { dropAdmissions } from '../store/admissions.ts';
import { dropBatchTexts } from '../store/batch-texts.ts';
import { dropAbandonedVectorIndexes } from '../store/change-vector-index.ts';
import type { Db } from '../store/database.ts';
import { dropIndex } from '../store/drop-index.ts';
import { dropEvaluation } from '../store/evaluations.ts';
import { listIndexes } from '../store/indexes.ts';
import {
  dropFinished,
  dropHistoryOfGoneIndexes,
  dropOldFailures,
  dropRemovedOfGoneIndexes,
  listOldBatchTasks,
  listOldEvaluations,
  listOldFailedTasks,
  listOldReads,
  listOldStagings,
  listStaleSteerTasks,
  type Page,
} from '../store/orphaned-rows.ts';
import { collectTombstones } from '../store/protocol/tombstones.ts';
import { dropReads } from '../store/read-counts.ts';
import { dropExpiredSearches } from '../store/sampled-searches.ts';
import { dropFailed, dropStaged } from '../store/staging.ts';
import { dropSteerResults } from '../store/steer-results.ts';
import { dropEndedWatches } from '../store/watch-counts.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { isVectorIndexDue } from './index-watch.ts';
import { tendSources } from './sources/tend.ts';

/** Tombstones removed in one transaction, during which writers of the index wait. */
const TOMBSTONE_BATCH = 5_000;
/** Younger rows may belong to a task that is just being accepted. */
const LEFT_OVER_AFTER_SECONDS = 3_600;
const LEFT_OVER_BATCH = 1_000;
/** Longer than any server outage while a task is about to end. */
const FINISHED_AFTER_SECONDS = 86_400;
/** Far longer than the first step of a task can take. */
const ADMITTED_AFTER_SECONDS = 30 * 86_400;
/** Failures in the history of objects are kept this long. */
const FAILURE_AFTER_SECONDS = 30 * 86_400;

/** Activities of the periodic maintenance, which removes what ended tasks leave behind. */
export function createMaintenanceActivities(
  deps: ActivityDependencies,
): Pick<ControlActivities, 'collectTombstones' | 'dropMarked' | 'dropExpired' | 'listDueVectorIndexes'> {
  const { db, settings, isTaskKnown, isStagingUsed } = deps;
  return {
    async collectTombstones() {
      const retentionSeconds = settings.tombstoneRetentionSeconds;
      let removed = 0;
      for (const { no, state } of await listIndexes(db)) {
        if (state !== 'active') continue;
        for (let batch = TOMBSTONE_BATCH; batch === TOMBSTONE_BATCH; removed += batch) {
          Context.current().cancellationSignal.throwIfAborted();
          batch = await collectTombstones(db, no, { retentionSeconds, limit: TOMBSTONE_BATCH });
        }
      }
      return removed;
    },

    async dropMarked() {
      let dropped = 0;
      for (const { no, state } of await listIndexes(db)) {
        if (state === 'deleting' && (await dropIndex(db, no)).kind === 'dropped') dropped++;
      }
      return dropped;
    },

    async dropExpired() {
      const gone = { staged: 0, failed: 0, steered: 0, evaluated: 0 };
      for await (const staging of eachOld(db, listOldStagings)) {
        if (await isStagingUsed(taskOf(staging), staging)) continue;
        await dropStaged(db, staging);
        gone.staged++;
      }
      for await (const taskId of eachOld(db, listOldFailedTasks)) {
        if (await isTaskKnown(taskId)) continue;
        await dropFailed(db, taskId);
        gone.failed++;
      }
      for await (const taskId of eachOld(db, listStaleSteerTasks)) {
        if (await isTaskKnown(taskId)) continue;
        await dropSteerResults(db, taskId);
        gone.steered++;
      }
      for await (const taskId of eachOld(db, listOldEvaluations)) {
        if (await isTaskKnown(taskId)) continue;
        await dropEvaluation(db, taskId);
        gone.evaluated++;
      }
      for await (const taskId of eachOld(db, listOldReads)) {
        if (!(await isTaskKnown(taskId))) await dropReads(db, taskId);
      }
      for await (const taskId of eachOld(db, listOldBatchTasks)) {
        if (!(await isTaskKnown(taskId))) await dropBatchTexts(db, taskId);
      }
      while ((await dropExpiredSearches(db, LEFT_OVER_BATCH)) === LEFT_OVER_BATCH) {
        Context.current().cancellationSignal.throwIfAborted();
      }
      await dropAbandonedVectorIndexes(deps.background);
      await tendSources(deps, Context.current().info.taskQueue);
      await deps.pruneNames?.(Context.current().cancellationSignal);
      await dropEndedWatches(db);
      await dropFinished(db, FINISHED_AFTER_SECONDS);
      await dropAdmissions(db, ADMITTED_AFTER_SECONDS);
      while ((await dropRemovedOfGoneIndexes(db, LEFT_OVER_BATCH)) === LEFT_OVER_BATCH) {
        Context.current().cancellationSignal.throwIfAborted();
      }
      while ((await dropHistoryOfGoneIndexes(db, LEFT_OVER_BATCH)) === LEFT_OVER_BATCH) {
        Context.current().cancellationSignal.throwIfAborted();
      }
      while ((await dropOldFailures(db, FAILURE_AFTER_SECONDS, LEFT_OVER_BATCH)) === LEFT_OVER_BATCH) {
        Context.current().cancellationSignal.throwIfAborted();
      }
      return gone;
    },

    async listDueVectorIndexes() {
      const due: number[] = [];
      for (const index of await listIndexes(db)) {
        if (index.state !== 'active') continue;
        if (await isVectorIndexDue(db, index, settings.vectorIndexAfterParts)) due.push(index.no);
      }
      return due;
    },
  };
}

/** Iterates over all names of a list, page by page, so that names that stay do not hide the ones after them. */
async function* eachOld(db: Db, list: (db: Db, page: Page) => Promise<string[]>): AsyncIterable<string> {
  let after = '';
  for (;;) {
    Context.current().cancellationSignal.throwIfAborted();
    const names = await list(db, { after, olderThanSeconds: LEFT_OVER_AFTER_SECONDS, limit: LEFT_OVER_BATCH });
    yield* names;
    if (names.length < LEFT_OVER_BATCH) return;
    after = names.at(-1) ?? after;
  }
}

/** Returns the task of a staging, named by the task's id, a slash and the uuid of the admission or of the first run. */
function taskOf(staging: string): string {
  return staging.replace(/\/[0-9a-f-]{36}$/, '');
}
