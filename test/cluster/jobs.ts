import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, type CallLog, insist } from '../torture/accept.ts';
import type { Reindexer } from '../torture/reindexer.ts';

const PAUSE_MS = 300;

/** Sends jobs one after the other until the signal is aborted; returns their ids. */
export async function sendJobs(api: Api, log: CallLog, run: string, signal: AbortSignal): Promise<string[]> {
  const sent: string[] = [];
  while (!signal.aborted) {
    const at = sent.length;
    const taskId = `${run}-job-${at}`;
    await insist(log, taskId, (abort) => api.jobs.run('count', { taskId, input: { at } }, { signal: abort }));
    sent.push(taskId);
    await sleep(PAUSE_MS);
  }
  return sent;
}

/** Waits for the end of each; returns the deviations. */
export async function problemsOfJobs(reindexer: Reindexer, ids: readonly string[]): Promise<string[]> {
  const problems: string[] = [];
  for (const id of ids) {
    const { status, detail } = await reindexer.endOf(id);
    if (status !== 'done') problems.push(`${id} ended ${status}: ${detail}`);
  }
  return problems;
}
