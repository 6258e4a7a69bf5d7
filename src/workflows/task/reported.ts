import type { Usage } from '../../contract/budget.ts';
import type { BuildProgress } from '../../contract/build-progress.ts';
import { ERROR_BOUNDS } from '../../contract/failures.ts';
import { WAITS_MESSAGE_CHARS, type WaitsFor } from '../../contract/waits.ts';
import { anyRecord, anyText, atLeast, finite, flag, orNull, type Shape, whole } from './shapes.ts';
import type { Hold } from './types.ts';

/**
 * What activities and slices report by signal. Anyone can send these signals, and an error in a handler would block the
 * workflow for good. So each report is checked, and only its known fields are taken, cut to their lengths: they go into
 * the memo of the workflow.
 */

const TIME_CHARS = 40;
const NAME_CHARS = 200;

const WAITS = atLeast({
  activity: anyText,
  reason: anyText,
  message: anyText,
  since: anyText,
  nextTry: orNull(anyText),
});
const BUILD = atLeast({ phase: anyText, percent: orNull(finite), etaSeconds: orNull(finite), time: anyText });
const HOLD = atLeast({ type: anyText, message: anyText });
const USAGE = atLeast({
  calls: whole(0),
  tokens: whole(0),
  estimatedTokens: whole(0),
  usd: orNull(finite),
  budget: anyRecord,
});
const PROGRESS = [anyText, finite, finite] as const;

const fits = (shape: Shape, sent: unknown) => shape(sent) === undefined;
const isNothing = (sent: unknown): sent is null | undefined => sent === null || sent === undefined;

/** Returns what an activity waits for, null if it continues, or undefined if the report makes no sense. */
export function reportedWaits(sent: unknown): WaitsFor | null | undefined {
  if (isNothing(sent)) return null;
  if (!fits(WAITS, sent)) return undefined;
  const { activity, reason, message, since, nextTry } = sent as WaitsFor;
  return {
    activity: activity.slice(0, NAME_CHARS),
    reason: reason.slice(0, ERROR_BOUNDS.type),
    message: message.slice(0, WAITS_MESSAGE_CHARS),
    since: since.slice(0, TIME_CHARS),
    nextTry: nextTry?.slice(0, TIME_CHARS) ?? null,
  };
}

/** Returns the progress of a build; null if it has ended, or if the report makes no sense. */
export function reportedBuild(sent: unknown): BuildProgress | null {
  if (!fits(BUILD, sent)) return null;
  const { phase, percent, etaSeconds, givesWay, fits: isInMemory, time } = sent as BuildProgress;
  return {
    phase: phase.slice(0, NAME_CHARS),
    percent,
    etaSeconds,
    ...(fits(flag, givesWay) && { givesWay }),
    ...(fits(flag, isInMemory) && { fits: isInMemory }),
    time: time.slice(0, TIME_CHARS),
  };
}

/** Returns why a reindex must pause; undefined if the report makes no sense. */
export function reportedHold(sent: unknown): Hold | undefined {
  if (!fits(HOLD, sent)) return undefined;
  const { type, message } = sent as Hold;
  return { type: type.slice(0, ERROR_BOUNDS.type), message: message.slice(0, ERROR_BOUNDS.message) };
}

/** Returns what a reindex has used of its model; undefined if the report makes no sense. */
export function reportedUsage(sent: unknown): Usage | undefined {
  if (!fits(USAGE, sent)) return undefined;
  const { calls, tokens, estimatedTokens, usd, reused, truncated, budget } = sent as Usage;
  const limits = (['usd', 'tokens', 'calls'] as const).filter((unit) => fits(finite, budget[unit]));
  return {
    ...{ calls, tokens, estimatedTokens, usd },
    ...(fits(whole(0), reused) && { reused }),
    ...(fits(whole(0), truncated) && { truncated }),
    budget: Object.fromEntries(limits.map((unit) => [unit, budget[unit]])),
  };
}

/** Whether a slice may have reported this progress: its id, its objects, and how long it has yielded. */
export function isSliceProgress(...sent: unknown[]): boolean {
  return PROGRESS.every((shape, at) => fits(shape, sent[at]));
}
