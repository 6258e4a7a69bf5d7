import { continueAsNew } from '@temporalio/workflow';
import type { HandOver } from '../../contract/hand-over.ts';
import { addSyncCounts, noSyncCounts, type SyncCounts, type SyncPlace } from '../../contract/source-activities.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { TaskInputs } from '../../contract/workflow-inputs.ts';
import { embedActivities } from '../activities.ts';
import { admit } from '../task/admit.ts';
import { orHold } from '../task/hold.ts';
import { handOver, receive } from '../task/receive.ts';
import { runTask } from '../task/run-task.ts';
import { withStepWaits } from '../task/step-waits.ts';
import type { TaskContext } from '../task/types.ts';

type Input = TaskInputs['sync'];

/**
 * Makes an index equal to the table of its source: syncs all rows in the order of their key, then deletes the objects
 * without a row. Changes meanwhile are synced by the follower. The place is in the tracker: the restart of a sync that
 * did not end continues there.
 */
export async function syncSource(first: Input, second?: HandOver): Promise<Tracker> {
  const { body: input, raw, given, refusal } = receive('sync', first, second);
  const { previous } = given;
  const limit: Limit = { ratePerSecond: rateOf(previous?.data.ratePerSecond) ?? rateOf(input.ratePerSecond) };
  let show = () => {};
  const spec = {
    type: 'sync',
    indexes: [input.source].filter((name) => typeof name === 'string'),
    maxAttempts: input.maxAttempts,
    previous,
    refusal,
    startNextRun: (carried: HandOver['previous']) =>
      continueAsNew<typeof syncSource>(raw as Input, handOver({ previous: carried })),
    onThrottle(ratePerSecond: number | null) {
      limit.ratePerSecond = ratePerSecond;
      show();
    },
  } as const;
  return runTask(spec, async (task) => {
    show = () => task.report({ data: { ratePerSecond: limit.ratePerSecond } });
    show();
    if (!isPlace(task.tracker.data.place)) await begin(task, raw, previous);
    await bringAll(task, input.source, limit);
  });
}

/** The rate in use; null for no limit. */
interface Limit {
  ratePerSecond: number | null;
}

async function begin(task: TaskContext, raw: unknown, previous: HandOver['previous']): Promise<void> {
  const { input } = await admit(task, 'sync', raw, previous);
  const { index, rows } = await embedActivities().beginSync(String(input.source));
  const place: SyncPlace = { phase: 'rows', after: null };
  task.report({ done: 0, total: rows, failed: 0, data: { index, ...noSyncCounts(), place: { ...place } } });
}

async function bringAll(task: TaskContext, source: string, limit: Limit): Promise<void> {
  const { data } = task.tracker;
  const counts = noSyncCounts();
  addSyncCounts(counts, data);
  while (isPlace(data.place)) {
    await task.checkpoint();
    const { place } = data;
    task.setDetail(place.phase === 'rows' ? 'bringing rows' : 'looking for objects without a row');
    const { ratePerSecond } = limit;
    const request = { taskId: task.id, source, place, ratePerSecond };
    const result = await orHold(task, () => withStepWaits(() => embedActivities().syncChunk(request)));
    task.noteWaits(result.waits);
    addSyncCounts(counts, result.counts);
    const done = task.tracker.progress.done + result.rows;
    data.place = result.place && { ...result.place };
    task.report({ done, failed: counts.failed, data: { ...counts } });
    task.continueIfLong();
  }
  task.setDetail(describe(counts));
}

function isPlace(value: unknown): value is SyncPlace & Record<string, never> {
  return typeof value === 'object' && value !== null && 'phase' in value;
}

function rateOf(value: unknown): number | null {
  return typeof value === 'number' && value > 0 ? value : null;
}

function describe({ written, unchanged, deleted, stale, failed }: SyncCounts): string {
  const parts = [`${written} written`, `${deleted} deleted`];
  if (unchanged > 0) parts.push(`${unchanged} unchanged`);
  if (stale > 0) parts.push(`${stale} already newer`);
  if (failed > 0) parts.push(`${failed} failed (see the failed items)`);
  return parts.join(', ');
}
