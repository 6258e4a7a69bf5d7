import { uuid4 } from '@temporalio/workflow';
import type { BatchLook } from '../../contract/batch-activities.ts';
import type { BatchDue, BatchesState, LockedPair, OpenBatch } from '../../contract/reindex-state.ts';
import { batchEndActivities, embedActivities, longControl } from '../activities.ts';
import { errorOf } from '../task/errors.ts';
import { hold, orHold } from '../task/hold.ts';
import { collect } from './collect-batch.ts';
import type { ReindexRun } from './run.ts';

/** Max jobs at the provider at a time. */
const MAX_OPEN = 8;
/** Time between two looks at the jobs: doubles from `first` to `max`. */
const LOOK_SECONDS = { first: 2, max: 300 } as const;
/** A provider that accepts no job of this many texts accepts none. */
const MIN_TEXTS = 100;
/** A job that is shrunk has this many texts at first, if it had more. */
const SHRUNK_TEXTS = 20_000;

/**
 * Copies what the provider's batches answer, before the copy proper, which brings the rest: what the model refused, and what
 * was written meanwhile. Nothing is kept here but the jobs; the texts are read again by their keys. `atPoint` is called between
 * two steps of the copy.
 */
export async function copyByBatches(run: ReindexRun, atPoint: () => Promise<void>): Promise<void> {
  const { task, state } = run;
  state.batches ??= await begin(run);
  const { batches } = state;
  if (batches.isOver) return;
  let seconds: number = LOOK_SECONDS.first;
  while (!batches.isOver) {
    await task.checkpoint();
    await send(run, batches);
    show(run, batches);
    if (batches.open.length > 0) {
      task.stand({ reason: 'batches', until: new Date(Date.now() + seconds * 1_000).toISOString() });
      await task.waitFor(waitText(batches, seconds), seconds, { onResume: true });
      task.stand(null);
      const isProgress = await lookAndCollect(run, batches, atPoint);
      seconds = isProgress ? LOOK_SECONDS.first : Math.min(LOOK_SECONDS.max, seconds * 2);
    }
    batches.isOver = batches.open.length + batches.due.length === 0;
    task.continueIfLong();
  }
  await endBatches(run);
  // The copy counts them again, if they fail again.
  task.report({ failed: 0, data: { failed: 0 } });
  state.isCopyBegun = true;
  task.setDetail(`copying to ${run.settings.dest} what the batches left`);
}

async function begin({ task, state, settings }: ReindexRun): Promise<BatchesState> {
  const { sourceNo, destNo, plan } = state.locked as LockedPair;
  const { total } = plan ?? (await longControl.planSlices({ sourceNo, after: null, lanes: settings.concurrency }));
  task.report({ total, done: 0, failed: 0 });
  return {
    key: uuid4(),
    sinceMs: Date.now(),
    destNo,
    due: [{ no: 0, round: 0, after: null, until: null, idle: 0 }],
    open: [],
    ranges: 1,
    maxTexts: null,
    counts: { jobs: 0, texts: 0, answered: 0, refused: 0, unknown: 0 },
    isOver: false,
  };
}

/** Cancels the open jobs at the provider, and drops what is stored of them. A provider that is down is left alone. */
export async function endBatches({ task, state }: Pick<ReindexRun, 'task' | 'state'>): Promise<void> {
  const { batches } = state;
  if (!batches) return;
  const { destNo, sending, sinceMs } = batches;
  const ids = batches.open.map(({ id }) => id);
  await batchEndActivities()
    .endBatches({ taskId: task.id, destNo, ids, sending: sending ?? null, sinceMs })
    .catch(() => {});
  batches.open = [];
  delete batches.sending;
}

/** Sends jobs until enough are open. A budget that is used up by open jobs is judged again when they have ended. */
async function send(run: ReindexRun, batches: BatchesState): Promise<void> {
  const { task } = run;
  while (batches.due.length > 0 && batches.open.length < MAX_OPEN) {
    await task.checkpoint();
    const due = batches.due[0] as BatchDue;
    try {
      await sendNext(run, batches, due);
    } catch (error) {
      const { type, message } = errorOf(error);
      if (type !== 'BudgetUsedUp') throw error;
      if (batches.open.length > 0) return;
      await hold(task, { type, message });
    }
    task.continueIfLong();
  }
}

async function sendNext(run: ReindexRun, batches: BatchesState, due: BatchDue): Promise<void> {
  const { lock, sourceNo, destNo } = run.state.locked as LockedPair;
  const { key, sinceMs, maxTexts, open, counts } = batches;
  const { no, round, after, until } = due;
  const openTokens = open.reduce((sum, { tokens }) => sum + tokens, 0);
  const request = {
    ...{ taskId: run.task.id, lock, sourceNo, destNo, rangeNo: no, name: `${key}/${no}/${round}` },
    ...{ sinceMs, after, until, maxTexts, openTokens },
  };
  batches.sending = request.name;
  const sent = await orHold(run.task, () => embedActivities().submitBatch(request), { passes: ['BudgetUsedUp'] });
  delete batches.sending;
  batches.due.shift();
  // The file was full before the end of the range.
  if (sent.until !== until) {
    batches.due.unshift({ no: batches.ranges, round: 0, after: sent.until, until, idle: 0 });
    batches.ranges++;
  }
  if (sent.batchId === null) return;
  const { batchId: id, texts, tokens } = sent;
  open.push({ ...due, until: sent.until, id, texts, tokens });
  counts.jobs++;
  if (round === 0) counts.texts += texts;
}

/** Looks at the open jobs and copies the answers of those that have ended. Returns false if nothing has changed. */
async function lookAndCollect(run: ReindexRun, batches: BatchesState, atPoint: () => Promise<void>): Promise<boolean> {
  const { task, state } = run;
  const { destNo } = state.locked as LockedPair;
  const ids = batches.open.map(({ id }) => id);
  const looks = await orHold(task, () => embedActivities().lookAtBatches({ destNo, ids }));
  let isProgress = false;
  for (const look of looks) {
    const batch = batches.open.find(({ id }) => id === look.id);
    if (!batch || look.state === 'running') continue;
    isProgress = true;
    if (look.state === 'ended') await collect(run, { batches, batch, atPoint });
    else await handleFailed(run, batches, batch, look.problem);
    show(run, batches);
    task.continueIfLong();
  }
  return isProgress;
}

/** A job that the provider did not accept costs nothing. It is sent again: later, in smaller ones, or after `resume`. */
async function handleFailed(
  { task }: ReindexRun,
  batches: BatchesState,
  batch: OpenBatch,
  problem: BatchLook['problem'] = { kind: 'other', message: 'no reason is given' },
): Promise<void> {
  batches.open = batches.open.filter(({ id }) => id !== batch.id);
  const { no, round, after, until, idle } = batch;
  batches.due.unshift({ no, round: round + 1, after, until, idle });
  if (problem.kind === 'tooMuch' && batches.open.length > 0) return;
  if (problem.kind === 'tooMuch' && batch.texts > MIN_TEXTS) {
    batches.maxTexts = Math.max(MIN_TEXTS, Math.min(SHRUNK_TEXTS, Math.floor(batch.texts / 2)));
    return;
  }
  const type = problem.kind === 'quota' ? 'ModelQuotaUsedUp' : 'ModelRejectedInput';
  await hold(task, {
    type,
    message: `the provider did not accept a batch of ${batch.texts} texts: ${problem.message}`,
  });
}

function waitText({ open }: BatchesState, seconds: number): string {
  const texts = open.reduce((sum, batch) => sum + batch.texts, 0);
  const jobs = open.length === 1 ? '1 batch' : `${open.length} batches`;
  return `waits for ${jobs} with ${texts} texts at the provider; looks again in ${seconds} s`;
}

function show({ task }: ReindexRun, { open, counts }: BatchesState): void {
  task.report({ data: { batches: { open: open.length, ...counts } } });
}
