import { setTimeout as sleep } from 'node:timers/promises';
import type { DrainWatch } from './drains.ts';
import type { Random } from './random.ts';
import type { Ending, Piece, System } from './system.ts';

export interface Strike {
  atMs: number;
  pieces: Piece[];
  ending: Ending;
  awayMs: number;
  /** Max wait for the next cut-over, in order to strike while it blocks writers. */
  atDrainMs: number;
}

const WORKERS: readonly Piece[] = ['worker 1', 'worker 2'];
/** No strike in the last part of a run, so that everything can recover. */
const LAST_SHARE = 0.9;

/** Plans the strikes and freezes of a seed: each server at least once, a worker every twenty seconds. */
export function planStrikes(random: Random, seconds: number): Strike[] {
  const endMs = seconds * 1_000 * LAST_SHARE;
  const workerKills = Math.max(2, Math.round(seconds / 20));
  // A short run has no time to wait long for a cut-over.
  const atDrainMs = Math.min(12_000, seconds * 80);
  const strikes: Omit<Strike, 'atMs'>[] = [];
  const add = (pieces: Piece[], ending: Ending, awayMs: number, atDrain = false) =>
    strikes.push({ pieces, ending, awayMs, atDrainMs: atDrain ? atDrainMs : 0 });
  for (let kill = 0; kill < workerKills; kill++) {
    const both = kill % 4 === 3;
    add(both ? [...WORKERS] : [random.pick(WORKERS)], 'kill', random.between(0, 1_000), kill % 3 === 1);
  }
  add(['temporal'], 'kill', random.between(500, 4_000));
  add(['postgres'], 'kill', random.between(0, 3_000));
  add(['api'], 'kill', random.between(0, 2_000));
  // Some of them exceed the time limits of transactions.
  add([random.pick(WORKERS)], 'freeze', random.between(3_500, 9_000), true);
  add([random.pick(['postgres', 'temporal', 'api'])], 'freeze', random.between(500, 5_000));
  for (let more = 60; more < seconds; more += 60) {
    add(['temporal'], 'stop', random.between(500, 3_000), true);
    add(['postgres'], random.pick(['kill', 'stop']), random.between(0, 2_000), true);
    add(['api'], 'stop', random.between(0, 1_000));
    add([random.pick(WORKERS)], 'freeze', random.between(500, 12_000));
    add([random.pick(['postgres', 'temporal', 'api'])], 'freeze', random.between(500, 6_000), random.chance(0.5));
  }
  const step = endMs / (strikes.length + 1);
  return random
    .shuffled(strikes)
    .map((strike, at) => ({ ...strike, atMs: Math.round(step * (at + 0.5 + random.between(-0.3, 0.3)) + step / 2) }));
}

export interface ChaosCounts {
  /** Number of killed processes, of any kind. */
  kills: number;
  workerKills: number;
  /** Number of processes stopped for a while. */
  freezes: number;
  /** Number of servers and APIs that were stopped or killed and started again. */
  restarts: number;
  atDrain: number;
}

/** Runs the strikes, one after the other. */
export async function runChaos(
  system: System,
  drains: DrainWatch,
  strikes: readonly Strike[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<ChaosCounts> {
  const counts: ChaosCounts = { kills: 0, workerKills: 0, freezes: 0, restarts: 0, atDrain: 0 };
  const startMs = Date.now();
  for (const strike of strikes) {
    await sleep(Math.max(0, startMs + strike.atMs - Date.now()), undefined, { signal }).catch(() => {});
    const atDrain = strike.atDrainMs > 0 && (await nextDrain(drains, strike.atDrainMs, signal));
    if (signal.aborted) break;
    const { pieces, ending, awayMs } = strike;
    const when = atDrain ? ', while writers are held back' : '';
    say(`${ending} ${pieces.join(' and ')}, away for ${Math.round(awayMs)} ms${when}`);
    await Promise.all(pieces.map((piece) => system.restart(piece, ending, awayMs)));
    for (const piece of pieces) {
      if (ending === 'freeze') {
        counts.freezes++;
        continue;
      }
      if (ending === 'kill') counts.kills++;
      if (WORKERS.includes(piece)) counts.workerKills++;
      else counts.restarts++;
    }
    if (atDrain) counts.atDrain++;
  }
  return counts;
}

async function nextDrain(drains: DrainWatch, waitMs: number, signal: AbortSignal): Promise<boolean> {
  const over = new AbortController();
  const late = AbortSignal.any([signal, over.signal]);
  const come = new Promise<boolean>((resolve) => drains.on('drain', () => resolve(true), late));
  const drained = await Promise.race([come, sleep(waitMs, false, { signal: late }).catch(() => false)]);
  over.abort();
  return drained;
}
