import { Context } from '@temporalio/activity';
import pLimit from 'p-limit';
import type { SteerActivities } from '../contract/job-activities.ts';
import type { SteerFilter } from '../contract/steer-tasks.ts';
import { STEERABLE_TYPES } from '../contract/task-types.ts';
import {
  countOutcomes,
  dropSteerResults,
  markTried,
  nextTargets,
  recordOutcomes,
  reopenFailed,
  type SteerTarget,
  stageTargets,
} from '../store/steer-results.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { steerOne } from './steer-one.ts';
import { CHUNK_MS } from './support/heartbeat.ts';

/** Tasks staged in one statement. */
const STAGE_BATCH = 500;
/** Tasks steered before their outcomes are written. */
const BATCH = 64;
/** Tasks steered in parallel. */
const CONCURRENCY = 16;
/** Ids in one query to Temporal. */
const IDS_PER_QUERY = 100;

/** Steers many tasks: first records which ones, since lists change in the meantime, then steers them one by one. */
export function createSteerActivities({ db, tasks }: Pick<ActivityDependencies, 'db' | 'tasks'>): SteerActivities {
  return {
    async snapshotTasks({ taskId, filter, again }) {
      if (again) {
        await reopenFailed(db, taskId);
      } else {
        await dropSteerResults(db, taskId); // of an earlier attempt, or of a task that this one replaced
        await stageAll(filter, (targets) => stageTargets(db, taskId, targets));
      }
      return (await countOutcomes(db, taskId)).total;
    },

    async steerChunk({ taskId, by, ...request }) {
      const steering = { ...request, by: by === undefined ? `task ${taskId}` : `${by}, task ${taskId}` };
      const signal = Context.current().cancellationSignal;
      const untilMs = Date.now() + CHUNK_MS;
      const limit = pLimit(CONCURRENCY);
      for (let batches = 0; ; batches++) {
        signal.throwIfAborted();
        const targets = await nextTargets(db, taskId, BATCH);
        const isDone = targets.length === 0;
        if (isDone || (batches > 0 && Date.now() > untilMs)) return { ...(await countOutcomes(db, taskId)), isDone };
        if (!steering.dryRun)
          await markTried(
            db,
            taskId,
            targets.map((target) => target.taskId),
          );
        const steered = await Promise.allSettled(
          targets.map((target) =>
            limit(() => {
              signal.throwIfAborted();
              return steerOne(tasks, steering, target);
            }),
          ),
        );
        await recordOutcomes(
          db,
          taskId,
          steered.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])),
        );
        const failure = steered.find((one) => one.status === 'rejected');
        if (failure) throw failure.reason;
      }
    },
  };

  async function stageAll(filter: SteerFilter, stage: (targets: SteerTarget[]) => Promise<void>): Promise<void> {
    const { taskIds, ...conditions } = filter;
    for (const ids of taskIds === undefined ? [undefined] : slicesOf([...new Set(taskIds)], IDS_PER_QUERY)) {
      const listed = new Set<string>();
      let batch: SteerTarget[] = [];
      for await (const target of tasks.list({
        ...conditions,
        types: conditions.types ?? STEERABLE_TYPES,
        taskIds: ids,
      })) {
        listed.add(target.taskId);
        if (batch.push(target) < STAGE_BATCH) continue;
        Context.current().cancellationSignal.throwIfAborted();
        await stage(batch);
        batch = [];
      }
      await stage(batch);
      // Ids given without other conditions are always included: a list may not contain them yet, and an id without a
      // task should appear in the result.
      if (ids && Object.values(conditions).every((condition) => condition === undefined)) {
        const rest = ids.filter((id) => !listed.has(id));
        await stage(rest.map((taskId) => ({ taskId, type: null, status: null, runId: null })));
      }
    }
  }
}

function slicesOf<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));
}
