import { continueAsNew } from '@temporalio/workflow';
import {
  type AuditBody,
  type AuditCounts,
  type AuditState,
  addAuditCounts,
  auditText,
  foundOf,
} from '../contract/audit.ts';
import { LIMITS } from '../contract/limits.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { HandOver, TaskInputs } from '../contract/workflow-inputs.ts';
import { embedActivities } from './activities.ts';
import { admit } from './task/admit.ts';
import { handOver, receive } from './task/receive.ts';
import { runTask } from './task/run-task.ts';
import type { TaskContext } from './task/types.ts';

type Input = TaskInputs['audit'];

/**
 * Looks for broken objects in an index, and repairs them if asked to. The tracker counts them by kind; the first ones
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
    task.setDetail(`looking at the objects of ${request.index}`);
    await lookAt(task, request, { state, onlyFailed });
    task.setDetail(auditText(state.counts));
  });
}

async function lookAt(
  task: TaskContext,
  { index, until, repair, ratePerSecond }: AuditBody,
  { state, onlyFailed }: { state: AuditState; onlyFailed: boolean },
): Promise<void> {
  show(task, index, state);
  for (let done = false; !done; ) {
    await task.checkpoint();
    const chunk = await embedActivities().auditChunk({
      ...{ taskId: task.id, indexNo: state.indexNo, after: state.after, onlyFailed, repair },
      until: until ?? null,
      ratePerSecond: ratePerSecond ?? null,
      room: Math.max(0, LIMITS.auditListed - state.counts.listed),
    });
    addAuditCounts(state.counts, chunk.counts);
    ({ done } = chunk);
    state.after = chunk.after;
    show(task, index, state);
    if (!done) task.continueIfLong();
  }
}

function show(task: TaskContext, index: string, { total, counts }: AuditState): void {
  const left = foundOf(counts) - counts.repaired;
  task.report({
    done: counts.objects,
    total: Math.max(total, counts.objects),
    failed: left,
    data: dataOf(index, counts),
  });
}

/** `failed`: what is still broken. */
function dataOf(index: string, counts: AuditCounts): Tracker['data'] {
  const { found, repaired, listed } = counts;
  const broken = foundOf(counts);
  return { index, broken, found: { ...found }, repaired, failed: broken - repaired, listed };
}
