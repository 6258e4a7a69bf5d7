import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadShares } from '../../src/contract/read-shares.ts';
import type { Tracker } from '../../src/contract/tasks.ts';
import { type Api, type CallLog, TOO_LATE, tryTo } from './accept.ts';

const CHANGE_MS = 1_200;
/** How long a reindex whose budget is used up stays paused, while writes go on. */
const PAUSE_MS = 1_000;
const RAISE = 5;
/** After this many raises its budget has no limit. */
const RAISES = 2;

interface Parts {
  api: Api;
  log: CallLog;
  counts: { readsChanged: number; shadowed: number; canaried: number; budgetPauses: number };
  say: (line: string) => void;
}

/** Sets the shares of searches that a new index gets one after the other, until the reindex is over, and counts them. */
export async function changeReads(
  { api, log, counts, say }: Parts,
  taskId: string,
  shares: readonly ReadShares[],
  signal: AbortSignal,
): Promise<void> {
  for (const next of shares.slice(1)) {
    await sleep(CHANGE_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    const changed = await tryTo(log, `reads of ${taskId}`, () => api.tasks.setReads(taskId, next), TOO_LATE);
    if (changed) counts.readsChanged++;
  }
  if (shares.length === 0) return;
  await new Promise((resolve) => (signal.aborted ? resolve(null) : signal.addEventListener('abort', resolve)));
  const report = await tryTo(log, `figures of ${taskId}`, () => api.tasks.reads(taskId), [
    ...TOO_LATE,
    'ReadsNotFound',
  ]);
  if (!report) return;
  counts.shadowed += report.shadow.other.searches;
  counts.canaried += report.canary.other.searches;
  say(`${taskId}: ${report.shadow.other.searches} shadow and ${report.canary.other.searches} canary reads`);
}

/** Raises a budget that is used up, after a while: at first so little that it is soon used up again. */
export async function raiseBudget(
  { api, log, counts, say }: Parts,
  id: string,
  { maxCalls, raises }: { maxCalls: number | null; raises: number },
): Promise<void> {
  counts.budgetPauses++;
  const calls = raises < RAISES && maxCalls !== null ? maxCalls + RAISE * (raises + 1) : null;
  say(`${id}: its budget is used up; ${calls ?? 'any number of'} calls from now on`);
  await sleep(PAUSE_MS);
  await tryTo(log, `budget of ${id}`, () => api.tasks.budget(id, { calls }), TOO_LATE);
}

/** Whether a reindex has paused because its budget is used up. */
export function isBudgetUsedUp({ status, errors }: Tracker): boolean {
  return status === 'paused' && errors[0]?.type === 'BudgetUsedUp';
}
