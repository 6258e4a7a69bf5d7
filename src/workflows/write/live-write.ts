import { ApplicationFailure, continueAsNew } from '@temporalio/workflow';
import type { HandOver, WriteState } from '../../contract/hand-over.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { DeleteInput, UpsertInput } from '../../contract/workflow-inputs.ts';
import { control, longControl } from '../activities.ts';
import { admit } from '../task/admit.ts';
import { handOver, type Received } from '../task/receive.ts';
import { runTask } from '../task/run-task.ts';
import type { TaskContext } from '../task/types.ts';
import { lanesOf, SIZES } from './sizes.ts';
import { Writing } from './write-lanes.ts';

type Body = UpsertInput & DeleteInput;

/** Runs `upsert` and `delete`: writes the task's items to the index and to the one being built from it. */
export async function writeItems(kind: 'upsert' | 'delete', received: Received<Body>): Promise<Tracker> {
  const { body: input, raw, given, refusal } = received;
  const { previous } = given;
  let { accepted } = given;
  let resumed = given.write;
  let state: WriteState | undefined = resumed;
  const items = accepted?.total ?? lengthOf(input.items ?? input.ids);
  const spec = {
    type: kind,
    indexes: [input.index],
    maxAttempts: input.maxAttempts,
    previous,
    refusal,
    quiet: accepted !== undefined && items <= SIZES.local,
    startNextRun: (carried: HandOver['previous']) =>
      continueAsNew<(body: Body, given: HandOver) => Promise<Tracker>>(
        accepted ? withoutItems(input) : (raw as Body),
        handOver({ previous: carried, accepted, write: state }),
      ),
  };
  return runTask(spec, async (task) => {
    if (!accepted) accepted = await admitted(task, kind, raw, previous);
    else if (given.forget && !previous) await control.forgetFailed(task.id, accepted.staging);
    task.tracker.version = accepted.version;
    state = resumed ?? firstState(accepted.total);
    resumed = undefined;
    const { isDropped } = await new Writing(task, kind, input, { accepted, state, previous }).run();
    const { written, unchanged, stale, failed } = state.counts;
    if (failed > 0 && input.ignoreFailedItems === false) {
      throw ApplicationFailure.retryable(`${failed} items failed; see the failed items`, 'TooManyFailed');
    }
    task.setDetail(describe(kind, state.counts));
    // Staged items are kept while some are on the failed list, so that they can be retried.
    const { dropStaged } = accepted.total > SIZES.dropLocally ? longControl : control;
    if (failed === 0 && !isDropped) await dropStaged(accepted.staging, { written, unchanged, stale, failed });
  });
}

function lengthOf(items: unknown): number {
  return Array.isArray(items) ? items.length : 0;
}

/** Removes the items from the input of the next run: they are staged. */
function withoutItems({ items: _items, ids: _ids, ...options }: Body): Body {
  return options;
}

async function admitted(task: TaskContext, type: 'upsert' | 'delete', raw: unknown, previous: HandOver['previous']) {
  const { accepted } = await admit(task, type, raw, previous);
  if (!accepted) throw ApplicationFailure.nonRetryable('nothing was accepted', 'Internal');
  return accepted;
}

/** Divides the items into ranges that are written in parallel. */
function firstState(total: number): WriteState {
  const lanes = lanesOf(total);
  const size = Math.ceil(total / lanes);
  return {
    counts: { written: 0, unchanged: 0, stale: 0, failed: 0, forwarded: 0, forwardFailed: 0, heldBackMs: 0 },
    lanes: Array.from({ length: lanes }, (_, at) => ({ seq: at * size, toSeq: Math.min(total, (at + 1) * size) })),
    indexDue: null,
  };
}

function describe(kind: 'upsert' | 'delete', counts: WriteState['counts']): string {
  const parts = [`${counts.written} ${kind === 'upsert' ? 'written' : 'deleted'}`];
  if (counts.unchanged > 0) parts.push(`${counts.unchanged} of them unchanged`);
  if (counts.stale > 0) parts.push(`${counts.stale} stale (a newer version, or other content of the same, is stored)`);
  if (counts.failed > 0) parts.push(`${counts.failed} failed (see the failed items)`);
  if (counts.truncated) parts.push(`${counts.truncated} texts that the model cut, split again`);
  if (counts.forwarded > 0) parts.push(`${counts.forwarded} forwarded to the index being built`);
  if (counts.forwardFailed > 0) parts.push(`${counts.forwardFailed} left to the reindex`);
  if (counts.heldBackMs > 0) parts.push(`held back for ${counts.heldBackMs} ms by a cut-over`);
  return parts.join(', ');
}
