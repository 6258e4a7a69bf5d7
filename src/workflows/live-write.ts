import { ApplicationFailure, continueAsNew } from '@temporalio/workflow';
import type { Tracker } from '../contract/tasks.ts';
import type { DeleteInput, HandOver, UpsertInput, WriteState } from '../contract/workflow-inputs.ts';
import { control, longControl } from './activities.ts';
import { admit } from './admit.ts';
import { handOver, type Received } from './receive.ts';
import type { Task } from './task.ts';
import { runTask } from './tracker.ts';
import { SMALL, Writing } from './writing.ts';

/** More than these take longer to drop than a local activity may. */
const MANY = 20_000;
/** Stretches of items written at once: two of a task of more items than `LANE_ITEMS`, and more of larger ones. */
const LANES = 4;
const LANE_ITEMS = 1_000;
const WIDE_LANE_ITEMS = 2_500;
type Body = UpsertInput & DeleteInput;

/** `upsert` and `delete`: writes the task's items to the index, and to the one being built from it. */
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
    quiet: accepted !== undefined && items <= SMALL,
    goOn: (carried: HandOver['previous']) =>
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
    // Kept while items are on the failed list: they can be run again.
    const { dropStaged } = accepted.total > MANY ? longControl : control;
    if (failed === 0 && !isDropped) await dropStaged(accepted.staging, { written, unchanged, stale, failed });
  });
}

function lengthOf(items: unknown): number {
  return Array.isArray(items) ? items.length : 0;
}

/** They are staged: a run that goes on need not carry them. */
function withoutItems({ items: _items, ids: _ids, ...options }: Body): Body {
  return options;
}

async function admitted(task: Task, type: 'upsert' | 'delete', raw: unknown, previous: HandOver['previous']) {
  const { accepted } = await admit(task, type, raw, previous);
  if (!accepted) throw ApplicationFailure.nonRetryable('nothing was accepted', 'Internal');
  return accepted;
}

/** Cuts the items into a few stretches, to be written side by side. */
function firstState(total: number): WriteState {
  const lanes = lanesOf(total);
  const size = Math.ceil(total / lanes);
  return {
    counts: { written: 0, unchanged: 0, stale: 0, failed: 0, forwarded: 0, forwardFailed: 0, heldBackMs: 0 },
    lanes: Array.from({ length: lanes }, (_, at) => ({ seq: at * size, toSeq: Math.min(total, (at + 1) * size) })),
    indexDue: null,
  };
}
function lanesOf(items: number): number {
  if (items <= LANE_ITEMS) return 1;
  return Math.min(LANES, Math.max(2, Math.ceil(items / WIDE_LANE_ITEMS)));
}

function describe(kind: 'upsert' | 'delete', counts: WriteState['counts']): string {
  const parts = [`${counts.written} ${kind === 'upsert' ? 'written' : 'deleted'}`];
  if (counts.unchanged > 0) parts.push(`${counts.unchanged} of them unchanged`);
  if (counts.stale > 0) parts.push(`${counts.stale} stale (a newer version is stored)`);
  if (counts.failed > 0) parts.push(`${counts.failed} failed (see the failed items)`);
  if (counts.forwarded > 0) parts.push(`${counts.forwarded} forwarded to the index being built`);
  if (counts.forwardFailed > 0) parts.push(`${counts.forwardFailed} left to the reindex`);
  if (counts.heldBackMs > 0) parts.push(`held back for ${counts.heldBackMs} ms by a cut-over`);
  return parts.join(', ');
}
