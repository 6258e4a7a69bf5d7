import { type PaceReason, paceText, type StepWaits, type TaskPace } from '../../contract/task-pace.ts';
import type { WaitsFor } from '../../contract/waits.ts';

/** How far back it looks, as the rate does. */
const WINDOW_MS = 60_000;
/** Max. steps in the window; a reindex has some slices at once, each with a step in ten seconds. */
const MAX_STEPS = 200;
/** A smaller share slows nobody down noticeably. */
const MIN_SHARE = 0.1;

/** What a step may wait for. Of two equal ones, the tracker shows the first. */
const KINDS = [
  ['liveMs', 'live-work'],
  ['rateMs', 'rate-limit'],
  ['modelMs', 'model-limit'],
  ['workerMs', 'worker'],
] as const satisfies readonly (readonly [keyof StepWaits, PaceReason])[];

/** Tells why a task is slow, from what its steps waited for in the last minute, and why it stands still. */
export class PaceWindow {
  private readonly steps: { atMs: number; waits: StepWaits }[] = [];
  private still: Pick<TaskPace, 'reason' | 'until'> | null = null;

  /** Adds a step that has just ended. */
  add(waits: StepWaits, nowMs: number): void {
    const { steps } = this;
    steps.push({ atMs: nowMs, waits });
    while (steps.length > MAX_STEPS || (steps[0]?.atMs ?? nowMs) <= nowMs - WINDOW_MS) steps.shift();
  }

  /** Sets what the task stands still for; null once it continues. */
  stand(still: Pick<TaskPace, 'reason' | 'until'> | null): void {
    this.still = still;
  }

  /** Forgets everything: another step of the task begins. */
  clear(): void {
    this.steps.length = 0;
    this.still = null;
  }

  /** Returns the strongest reason; null if nothing slows the task. `waitsFor`: what an activity waits for now. */
  pace(waitsFor: WaitsFor | undefined, ratePerSecond: unknown): TaskPace | null {
    const withText = (pace: Omit<TaskPace, 'text'>): TaskPace => ({ ...pace, text: paceText(pace, ratePerSecond) });
    if (waitsFor?.reason.startsWith('Model')) {
      const reason = waitsFor.reason === 'ModelRateLimited' ? 'model-limit' : 'model';
      return withText({ reason, share: null, until: waitsFor.nextTry });
    }
    if (this.still) return withText({ ...this.still, share: null });
    const [strongest] = this.shares().sort((one, other) => other.share - one.share);
    return strongest && strongest.share >= MIN_SHARE ? withText({ ...strongest, until: null }) : null;
  }

  private shares(): { reason: PaceReason; share: number }[] {
    const sumOf = (kind: keyof StepWaits) => this.steps.reduce((sum, { waits }) => sum + waits[kind], 0);
    const allMs = Math.max(1, sumOf('ranMs') + sumOf('workerMs'));
    return KINDS.map(([kind, reason]) => {
      return { reason, share: Math.min(1, Math.round((100 * sumOf(kind)) / allMs) / 100) };
    });
  }
}
