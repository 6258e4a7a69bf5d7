import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import { hasLiveWork } from '../../store/live-traffic.ts';
import type { ActivityDependencies } from '../dependencies.ts';

/**
 * How long after its last sign live work is assumed to continue; probes and scrapes are seconds apart and hardly count.
 */
const LIVE_MS = 500;
const LOOK_EVERY_MS = 100;

/** Max rest after a write: on a slow system, rests proportional to the writes would stall copying. */
const MAX_REST_MS = 2_000;

/** Called with the start and end (`performance.now()`) of a time that was left to live work. */
export type OnWait = (fromMs: number, toMs: number) => void;

/** Runs one piece of background work, such as a write of a copy, immediately or in turn. */
export type Yielding = <T>(signal: AbortSignal, write: () => Promise<T>, onWait?: OnWait) => Promise<T>;

/** Writes immediately, for copies that others wait for. */
export const atOnce: Yielding = (_signal, write) => write();

/** Whether long-running work must leave room for live work now. */
export async function mustYield(deps: ActivityDependencies): Promise<boolean> {
  return yields(deps) && hasLiveWork(deps.background, LIVE_MS);
}

/** Without separate connections, background work would yield to itself. */
function yields({ db, background, settings }: ActivityDependencies): boolean {
  return background !== db && settings.copyShare < 1;
}

/** What tells the time and the live work; tests replace it. */
export interface YieldTools {
  hasLiveWork(): Promise<boolean>;
  nowMs(): number;
  rest(ms: number, signal: AbortSignal): Promise<unknown>;
}

const toolsOf = ({ background }: ActivityDependencies): YieldTools => ({
  hasLiveWork: () => hasLiveWork(background, LIVE_MS),
  nowMs: () => performance.now(),
  rest: (ms, signal) => delay(ms, undefined, { signal }),
});

/**
 * Makes background work yield to live work: during live work, this process does its pieces (writes of copies, ranges of a
 * comparison, statements of an evaluation, pages of an audit) one at a time, each followed by a rest, so that they take
 * `copyShare` of the time, or more if a single one is slow: a task gets on however long the live work lasts. Otherwise they
 * run as they come. Model time does not count, so yielding costs little when the model is the bottleneck.
 * `maxRestMs`: max rest, for pieces of an open transaction, which may not be idle for long.
 */
export function createYielding(
  deps: ActivityDependencies,
  { tools = toolsOf(deps), maxRestMs = MAX_REST_MS }: { tools?: YieldTools; maxRestMs?: number } = {},
): Yielding {
  if (!yields(deps)) return atOnce;
  const { copyShare } = deps.settings;
  const inTurn = pLimit(1);
  let looked = { atMs: Number.NEGATIVE_INFINITY, live: Promise.resolve(false) };
  const isLive = () => {
    const nowMs = tools.nowMs();
    if (nowMs - looked.atMs > LOOK_EVERY_MS) looked = { atMs: nowMs, live: tools.hasLiveWork() };
    return looked.live;
  };
  return async (signal, write, onWait = () => {}) => {
    if (!(await isLive())) return write();
    const askedMs = tools.nowMs();
    return inTurn(async () => {
      signal.throwIfAborted();
      const startMs = tools.nowMs();
      onWait(askedMs, startMs);
      const result = await write();
      const endMs = tools.nowMs();
      await tools.rest(Math.min(maxRestMs, (endMs - startMs) * (1 / copyShare - 1)), signal);
      onWait(endMs, tools.nowMs());
      return result;
    });
  };
}
