import type { ReindexState } from '../../contract/reindex-state.ts';
import { embedActivities } from '../activities.ts';
import type { TaskContext } from '../task/types.ts';

/** Embeds again, in the destination, what a finished reindex could not embed. */
export async function retryFailed(task: TaskContext, dest: string, state: ReindexState): Promise<void> {
  task.setDetail(`embedding anew what ${dest} has without vectors`);
  let { after, embedded, failed } = state.retry ?? { after: null, embedded: 0, failed: 0 };
  for (let more = true; more; ) {
    await task.checkpoint();
    const chunk = await embedActivities().retryFailed({ taskId: task.id, index: dest, after });
    ({ after, more } = chunk);
    embedded += chunk.embedded;
    failed += chunk.failed;
    task.report({ done: embedded + failed, failed, data: { failed } });
    state.retry = { after, embedded, failed };
    if (more) task.continueIfLong();
  }
  delete state.retry;
  task.setDetail(`${embedded} objects have vectors now, ${failed} failed again (see the failed items)`);
}
