import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadShares } from '../../src/contract/read-shares.ts';
import type { ReadsReport } from '../../src/contract/reads.ts';
import type { Tracker } from '../../src/contract/tasks.ts';
import { type Api, type CallLog, TOO_LATE, tryTo } from './accept.ts';

const CHANGE_MS = 1_200;
/** Max wait until a side that gets all searches has answered one. */
const COUNTED_MS = 30_000;
const LOOK_MS = 500;
/** How long a reindex whose budget is used up stays paused, while writes continue. */
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

/**
 * Sets the shares of searches that a new index gets one after the other, and counts the searches. The second ones are set
 * while the index is built, when they cannot be in force; the others once it is complete and waits for a decision.
 */
export class Trial {
  /** Whether the decision must wait. */
  isRunning = false;
  private readonly parts: Parts;
  private readonly taskId: string;
  private readonly left: ReadShares[];
  private current: ReadShares | undefined;
  private readonly over = new AbortController();
  private running: Promise<void>;
  private isOpen = false;

  constructor(parts: Parts, taskId: string, shares: readonly ReadShares[]) {
    this.parts = parts;
    this.taskId = taskId;
    [this.current, ...this.left] = shares;
    this.running = this.left.length > 1 ? this.change() : Promise.resolve();
  }

  /** Notes that the new index waits for a decision. */
  open(): void {
    if (this.isOpen || !this.current) return;
    this.isOpen = true;
    this.isRunning = true;
    this.running = this.running
      .then(() => this.runAll())
      .finally(() => {
        this.isRunning = false;
      });
  }

  /** Ends it with the reindex, and counts the searches. */
  async end(): Promise<void> {
    this.over.abort();
    await this.running;
    const report = this.current && (await this.figures());
    if (!report) return;
    const { counts, say } = this.parts;
    counts.shadowed += report.shadow.other.searches;
    counts.canaried += report.canary.other.searches;
    say(`${this.taskId}: ${report.shadow.other.searches} shadow and ${report.canary.other.searches} canary reads`);
  }

  private async runAll(): Promise<void> {
    for (;;) {
      await this.untilCounted();
      if (this.left.length === 0 || this.over.signal.aborted) return;
      await this.change();
    }
  }

  private async change(): Promise<void> {
    const { api, log, counts } = this.parts;
    await this.pause(CHANGE_MS);
    const next = this.over.signal.aborted ? undefined : this.left.shift();
    if (!next) return;
    const { taskId } = this;
    const changed = await tryTo(log, `reads of ${taskId}`, () => api.tasks.setReads(taskId, next), TOO_LATE);
    if (changed) counts.readsChanged++;
    this.current = next;
  }

  /** Waits until a side that gets all searches has answered one. */
  private async untilCounted(): Promise<void> {
    const { shadow = 0, canary = 0 } = this.current ?? {};
    const kind = canary === 1 ? 'canary' : shadow === 1 && canary === 0 ? 'shadow' : null;
    if (kind === null) return;
    for (const endMs = Date.now() + COUNTED_MS; Date.now() < endMs && !this.over.signal.aborted; ) {
      const report = await this.figures();
      if (report && report[kind].other.searches > 0) return;
      await this.pause(LOOK_MS);
    }
  }

  private figures(): Promise<ReadsReport | null> {
    const { api, log } = this.parts;
    const expected = [...TOO_LATE, 'ReadsNotFound'];
    return tryTo(log, `figures of ${this.taskId}`, () => api.tasks.reads(this.taskId), expected);
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.over.signal }).catch(() => {});
  }
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
