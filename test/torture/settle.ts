import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { type Api, type CallLog, insist } from './accept.ts';
import type { Write } from './oracle.ts';

const ENDED = ['done', 'exhausted', 'canceled', 'refused', 'ignored', 'failed'];

/** Waits until every write's task has ended. @throws with the trackers of those that do not end in time. */
export async function settle(api: Api, log: CallLog, writes: readonly Write[], withinMs: number): Promise<string[]> {
  const limit = pLimit(6);
  const endMs = Date.now() + withinMs;
  let open = writes.filter(({ end }) => end === null);
  const last = new Map<string, unknown>();
  for (;;) {
    await Promise.all(
      open.map((write) =>
        limit(async () => {
          const tracker = await insist(log, `info ${write.taskId}`, () => api.tasks.info(write.taskId));
          last.set(write.taskId, tracker);
          const again = tracker.status === 'failed' && tracker.detail.includes('again in');
          if (ENDED.includes(tracker.status) && !again) write.end = tracker;
        }),
      ),
    );
    open = open.filter(({ end }) => end === null);
    if (open.length === 0) break;
    if (Date.now() > endMs) {
      const stuck = open.slice(0, 10).map(({ taskId }) => JSON.stringify(last.get(taskId)));
      throw new Error(`${open.length} writes are stuck:\n${stuck.join('\n')}`);
    }
    await sleep(500);
  }
  return problemsOf(writes);
}

/** Deviations in the ends and versions of the writes. */
function problemsOf(writes: readonly Write[]): string[] {
  const problems: string[] = [];
  const lastOf = new Map<string, Write>();
  for (const write of writes) {
    const { end, taskId, toldVersion, client, items } = write;
    if (!end) continue;
    const error = end.errors[0];
    if (end.status !== 'done') problems.push(`${taskId} ended ${end.status}: ${end.detail} ${error?.message ?? ''}`);
    if (end.version === null) problems.push(`${taskId} has no version`);
    if (toldVersion !== null && toldVersion !== end.version) {
      problems.push(`${taskId} was accepted with version ${toldVersion} and ran with ${end.version}`);
    }
    if (typeof end.data.failed === 'number' && end.data.failed > 0) {
      problems.push(`${taskId}: ${end.data.failed} of ${items.length} items failed`);
    }
    const before = lastOf.get(client);
    if (before?.end && (before.end.version ?? 0) >= (end.version ?? 0)) {
      problems.push(`${taskId} came after ${before.taskId} but has a lower version: ${end.version}`);
    }
    lastOf.set(client, write);
  }
  return problems;
}
