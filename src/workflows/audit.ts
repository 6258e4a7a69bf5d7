import { continueAsNew } from '@temporalio/workflow';
import {
  type AuditBody,
  type AuditCounts,
  type AuditState,
  addAuditCounts,
  auditText,
  foundOf,
} from '../contract/audit.ts';
import type { HandOver } from '../contract/hand-over.ts';
import { LIMITS } from '../contract/limits.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { TaskInputs } from '../contract/workflow-inputs.ts';
import { embedActivities } from './activities.ts';
import { admit } from './task/admit.ts';
import { handOver, receive } from './task/receive.ts';
import { runTask } from './task/run-task.ts';
import { withStepWaits } from './task/step-waits.ts';
import type { TaskContext } from './task/types.ts';

type Input = TaskInputs['audit'];

/**
 * Looks for broken objects in an index, or for differences between an index and the table that it follows, and repairs
 * them if asked to. The tracker counts them by kind; the first ones
 * are on the failed list. A restart audits again, one with `onlyFailed` only what is on the list.
 */
export async function auditIndex(first: Input, second?: HandOver): Promise<Tracker> {
  const { body: input, raw, given, refusal } = receive('audit', first, second);
  const { previous } = given;
  let state = given.audit;
  const spec = {
    type: 'audit',
    indexes: [input.index].filter((name) => typeof name === 'string'),
    maxAttempts: input.maxAttempts,
    previous,
    refusal,
    startNextRun: (carried: HandOver['previous']) =>
      continueAsNew<typeof auditIndex>(raw as Input, handOver({ previous: carried, audit: state })),
  } as const;
  return runTask(spec, async (task) => {
    const { input: checked } = await admit(task, 'audit', raw, previous);
    const request = checked as unknown as AuditBody;
    const onlyFailed = previous?.onlyFailed === true;
    // A new attempt continues where the last one stopped.
    state ??= await embedActivities().beginAudit({ taskId: task.id, request, onlyFailed });
    task.setDetail(
      request.source === undefined
        ? `looking at the objects of ${request.index}`
        : `comparing the table of the source ${request.source} with its index`,
    );
    await lookAt(task, request, { state, onlyFailed });
    task.setDetail(auditText(state.counts));
  });
}

async function lookAt(
  task: TaskContext,
  body: AuditBody,
  { state, onlyFailed }: { state: AuditState; onlyFailed: boolean },
): Promise<void> {
  show(task, body, state);
  for (let done = state.place === null; !done; ) {
    await task.checkpoint();
    done = await lookFurther(task, body, { state, onlyFailed });
    show(task, body, state);
    if (!done) task.continueIfLong();
  }
}

/** Looks at what comes next, and adds it to the state. Returns true at the end. */
async function lookFurther(
  task: TaskContext,
  { source, until, repair, ...body }: AuditBody,
  { state, onlyFailed }: { state: AuditState; onlyFailed: boolean },
): Promise<boolean> {
  const { id: taskId } = task;
  const ratePerSecond = body.ratePerSecond ?? null;
  const room = Math.max(0, LIMITS.auditListed - state.counts.listed);
  if (source !== undefined && state.place) {
    const { place } = state;
    const compare = { ...{ taskId, source, place, onlyFailed, repair, room }, ratePerSecond };
    const chunk = await withStepWaits(() => embedActivities().compareChunk(compare));
    task.noteWaits(chunk.waits);
    addAuditCounts(state.counts, chunk.counts);
    state.place = chunk.place;
    return chunk.place === null;
  }
  const look = {
    ...{ taskId, indexNo: state.indexNo, after: state.after, onlyFailed, repair },
    until: until ?? null,
    ratePerSecond,
    room,
  };
  const chunk = await withStepWaits(() => embedActivities().auditChunk(look));
  task.noteWaits(chunk.waits);
  addAuditCounts(state.counts, chunk.counts);
  state.after = chunk.after;
  return chunk.done;
}

function show(
  task: TaskContext,
  { source, index = '' }: AuditBody,
  { total, counts, index: resolved }: AuditState,
): void {
  const left = foundOf(counts) - counts.repaired;
  const done = counts.objects + (counts.rows ?? 0);
  task.report({
    done,
    total: Math.max(total, done),
    failed: left,
    data: { ...(source !== undefined && { source }), ...dataOf(resolved ?? index, counts) },
  });
}

/** `failed`: what is still broken. */
function dataOf(index: string, counts: AuditCounts): Tracker['data'] {
  const { found, repaired, listed, rows, onTheirWay = 0 } = counts;
  const broken = foundOf(counts);
  const data = { index, broken, found: { ...found }, repaired, failed: broken - repaired, listed };
  return rows === undefined ? data : { ...data, rows, onTheirWay };
}
