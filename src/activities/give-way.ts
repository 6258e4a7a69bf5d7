import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import { hasLiveWork } from '../store/live-work.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Live work is taken to go on for so long after it was last seen; probes and scrapes, some seconds apart, are not much. */
const LIVE_MS = 500;
const LOOK_EVERY_MS = 100;

/** However long a write took: where all is slow, rests that grow with it would bring copying to a stand. */
const LONGEST_REST_MS = 2_000;

/** Is given the beginning and the end, by `performance.now()`, of a time that was left to live work. */
export type OnWait = (fromMs: number, toMs: number) => void;

/** Runs one write of a copy, now or in its turn. */
export type GiveWay = <T>(signal: AbortSignal, write: () => Promise<T>, onWait?: OnWait) => Promise<T>;

/** For copies that others wait for. */
export const atOnce: GiveWay = (_signal, write) => write();

/** Whether what takes long has to leave room for live work now. */
export async function mustGiveWay(deps: ActivityDependencies): Promise<boolean> {
  return givesWay(deps) && hasLiveWork(deps.background, LIVE_MS);
}

/** Without connections of its own, work in the background would give way to itself. */
function givesWay({ db, background, settings }: ActivityDependencies): boolean {
  return background !== db && settings.copyShare < 1;
}

/**
 * Copying gives way: while live work goes on, the copies of this process are written one after the other, with a rest
 * after each, so that writing takes `copyShare` of the time, and more where a single write takes long. With nothing else
 * to do they are written as they come. The model's time does not count, so where the model is what takes long, giving
 * way costs little.
 */
export function createGiveWay(deps: ActivityDependencies): GiveWay {
  if (!givesWay(deps)) return atOnce;
  const { background, settings } = deps;
  const inTurn = pLimit(1);
  let looked = { atMs: Number.NEGATIVE_INFINITY, live: Promise.resolve(false) };
  const isLive = () => {
    const nowMs = performance.now();
    if (nowMs - looked.atMs > LOOK_EVERY_MS) looked = { atMs: nowMs, live: hasLiveWork(background, LIVE_MS) };
    return looked.live;
  };
  return async (signal, write, onWait = () => {}) => {
    if (!(await isLive())) return write();
    const askedMs = performance.now();
    return inTurn(async () => {
      signal.throwIfAborted();
      const startMs = performance.now();
      onWait(askedMs, startMs);
      const result = await write();
      const endMs = performance.now();
      const restMs = Math.min(LONGEST_REST_MS, (endMs - startMs) * (1 / settings.copyShare - 1));
      await delay(restMs, undefined, { signal });
      onWait(endMs, performance.now());
      return result;
    });
  };
}
