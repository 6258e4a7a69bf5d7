import { continueAsNew } from '@temporalio/workflow';
import type { HandOver } from '../contract/hand-over.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { SteerInput } from '../contract/workflow-inputs.ts';
import { longControl } from './activities.ts';
import { admit } from './task/admit.ts';
import { handOver, receive } from './task/receive.ts';
import { runTask } from './task/run-task.ts';

/**
 * Cancels, restarts, pauses, resumes or ignores all tasks that match a filter when it begins. The outcome of each is in
 * Postgres; the tracker has the counts. A restart retries those that failed.
 */
export async function steerTasks(first: SteerInput, second?: HandOver): Promise<Tracker> {
  const { body: input, raw, given, refusal } = receive('steer', first, second);
  const { action, filter, force = false, reason, dryRun = false } = input;
  const { by, previous } = given;
  let isSnapshotTaken = previous?.sameAttempt === true && typeof previous.data.matched === 'number';
  const spec = {
    type: 'steer',
    indexes: typeof filter?.index === 'string' ? [filter.index] : [],
    maxAttempts: input.maxAttempts,
    previous,
    refusal,
    startNextRun: (carried: HandOver['previous']) =>
      continueAsNew<typeof steerTasks>(raw as SteerInput, handOver({ previous: carried, by })),
  } as const;
  return runTask(spec, async (task) => {
    if (!isSnapshotTaken) {
      await admit(task, 'steer', raw, previous);
      task.setDetail('looking for the tasks');
      const again = typeof previous?.data.matched === 'number';
      const matched = await longControl.snapshotTasks({ taskId: task.id, filter, again });
      isSnapshotTaken = true;
      task.report({
        done: 0,
        total: matched,
        failed: 0,
        data: { action, dryRun, matched, ...(by !== undefined && { by }) },
      });
      task.setDetail('');
    }
    for (;;) {
      await task.checkpoint();
      const { byOutcome, isDone } = await longControl.steerChunk({
        taskId: task.id,
        action,
        force,
        reason,
        dryRun,
        by,
      });
      const failed = byOutcome.failed ?? 0;
      const done = Object.values(byOutcome).reduce((sum, count) => sum + count, 0);
      task.report({ done, failed, data: { outcomes: byOutcome, failed } });
      if (isDone) {
        task.setDetail(describe(byOutcome));
        return;
      }
      task.continueIfLong();
    }
  });
}

function describe(byOutcome: Record<string, number>): string {
  const parts = Object.entries(byOutcome).map(([outcome, count]) => `${count} ${outcome.replace('-', ' ')}`);
  return parts.length === 0 ? 'no matching tasks' : parts.join(', ');
}
