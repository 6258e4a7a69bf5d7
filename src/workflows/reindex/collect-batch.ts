import type { BatchesState, LockedPair, OpenBatch } from '../../contract/reindex-state.ts';
import { embedActivities } from '../activities.ts';
import { hold, orHold } from '../task/hold.ts';
import { countsIn } from './copy-progress.ts';
import type { ReindexRun } from './run.ts';
import { showUsage } from './usage.ts';

/** Rounds of a range in a row without a single answer after which a person is asked. */
const MAX_IDLE = 2;

interface Ended {
  batches: BatchesState;
  /** The job. */
  batch: OpenBatch;
  /** Called between two steps of the copy. */
  atPoint: () => Promise<void>;
}

/** Stores the answers of a job that has ended, copies their objects, and puts what has no answer back to be sent again. */
export async function collect(run: ReindexRun, { batches, batch, atPoint }: Ended): Promise<void> {
  const { task, state } = run;
  const { destNo } = state.locked as LockedPair;
  const { no: rangeNo, id: batchId } = batch;
  batch.collected ??= await store(run, batches, batch);
  await copyAnswered(run, batch.collected, { batch, atPoint });
  const { open, fresh } = batch.collected;
  await embedActivities().forgetBatch({ taskId: task.id, destNo, rangeNo, batchId, isOver: open === 0 });
  batches.open = batches.open.filter(({ id }) => id !== batchId);
  if (open === 0) return;
  const idle = fresh === 0 ? batch.idle + 1 : 0;
  const { round, after, until } = batch;
  batches.due.unshift({ no: rangeNo, round: round + 1, after, until, idle: idle % MAX_IDLE });
  if (idle < MAX_IDLE) return;
  const message = `${MAX_IDLE} batches of the same ${open} texts expired without an answer; resume sends them again`;
  await hold(task, { type: 'ModelUnavailable', message });
}

async function store(run: ReindexRun, { counts }: BatchesState, batch: OpenBatch) {
  const { task, state } = run;
  const { destNo } = state.locked as LockedPair;
  const { no: rangeNo, id: batchId, texts, tokens, after } = batch;
  const request = { taskId: task.id, destNo, rangeNo, batchId, tokensPerText: tokens / texts };
  const collected = await orHold(task, () => embedActivities().collectBatch(request));
  const { range, fresh, unknown, why, usage } = collected;
  const { answered, refused, open } = range;
  showUsage(task.tracker, usage);
  counts.answered += fresh.answered;
  counts.refused += fresh.refused;
  counts.unknown += unknown;
  if (answered === 0 && refused > 0 && open === 0) {
    const how = 'after resume, they are embedded in usual calls at the usual price';
    await hold(task, {
      type: 'ModelRejectedInput',
      message: `all ${refused} texts of a batch were refused (${why}): ${how}`,
    });
  }
  return { open, fresh: fresh.answered + fresh.refused, copiedTo: after };
}

/** Copies the objects of a range all of whose texts are answered. */
async function copyAnswered(
  run: ReindexRun,
  collected: NonNullable<OpenBatch['collected']>,
  { batch: { no, until }, atPoint }: Omit<Ended, 'batches'>,
): Promise<void> {
  const { task, settings, state } = run;
  const { lock, sourceNo, destNo } = state.locked as LockedPair;
  for (let done = false; !done; ) {
    await task.checkpoint();
    const chunk = await embedActivities().copySlice({
      ...{ taskId: task.id, lock, sourceNo, destNo, after: collected.copiedTo, until },
      ...{ batchSize: settings.batchSize, inFlight: settings.concurrency, ratePerSecond: state.ratePerSecond },
      answersOf: no,
    });
    done = chunk.done;
    collected.copiedTo = chunk.cursor;
    showUsage(task.tracker, chunk.usage);
    const { copied, tombstones, failed, reused = 0 } = countsIn(task.tracker);
    const { counts } = chunk;
    const sums = {
      copied: copied + counts.copied,
      tombstones: tombstones + counts.tombstones,
      failed: failed + counts.failed,
      reused: reused + (counts.reused ?? 0),
    };
    task.report({
      done: Math.min(task.tracker.progress.total, sums.copied + sums.failed),
      failed: sums.failed,
      data: sums,
    });
    await atPoint();
    if (!done) task.continueIfLong();
  }
}
