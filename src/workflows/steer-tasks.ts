import { continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { Tracker } from '../contract/tasks.ts';
import type { SteerInput } from '../contract/workflow-inputs.ts';
import { control, longControl } from './activities.ts';
import { bodyOf } from './input.ts';
import { runTask } from './tracker.ts';

/**
 * Cancels, restarts, pauses, resumes or ignores all tasks that fit a filter: those that fit when it begins. What came of
 * each is in Postgres; the tracker has the counts. A restart of it tries those again that failed.
 */
export async function steerTasks(given: SteerInput): Promise<Tracker> {
  const input = bodyOf(given);
  const { action, filter, force = false, reason, dryRun = false, by, previous } = input;
  const spec = {
    type: 'steer',
    indexes: typeof filter?.index === 'string' ? [filter.index] : [],
    maxAttempts: input.maxAttempts,
    previous,
  } as const;
  let isSnapshotTaken = previous?.sameAttempt === true;
  return runTask(spec, async (task) => {
    if (!isSnapshotTaken) {
      const { previous: _previous, by: _by, ...body } = input;
      await control.admit({ taskId: task.id, type: 'steer', input: body, version: null });
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
      if (workflowInfo().continueAsNewSuggested) {
        await task.continueAs((carried) => continueAsNew<typeof steerTasks>({ ...input, previous: carried }));
      }
    }
  });
}

function describe(byOutcome: Record<string, number>): string {
  const parts = Object.entries(byOutcome).map(([outcome, count]) => `${count} ${outcome.replace('-', ' ')}`);
  return parts.length === 0 ? 'no task fits' : parts.join(', ');
}
