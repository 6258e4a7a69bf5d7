import { setTimeout as sleep } from 'node:timers/promises';
import type { Api, CallLog } from '../accept.ts';
import type { Random } from '../random.ts';
import { type Distribution, distributionOf } from '../stalls.ts';
import type { Piece, System } from '../system.ts';
import { DEEDS, type Kind, type Point, planPoints, whereIn } from './points.ts';
import { type DirectWrite, DirectWrites } from './probes.ts';
import { ALIASED, ALONE, REBUILT, Traffic } from './traffic.ts';

/** Waits of writes while a process was stopped, in milliseconds. */
export interface StopWaits {
  /** Number of stops there. */
  stops: number;
  /** Waits of writes to the index that the process was working on, and to another one. */
  same: Distribution;
  other: Distribution;
}

export interface StopsResult {
  /** By the work of the stopped process. */
  kinds: Partial<Record<Kind, StopWaits>>;
  /** Each stop: where, and the longest waits; `controlMs`: that of a statement that needs no lock. */
  stops: { at: string; sameMs: number; otherMs: number; controlMs: number }[];
  /** Points that were not reached. */
  missed: string[];
}

/** Limits that hold at every point where a process is stopped. */
const MAX_SAME_MS = 5_000;
const MAX_OTHER_MS = 1_000;

/** Longer than the time limits of transactions plus one more try. */
const STOPPED_MS = 7_000;
const COME_BY_MS = 60_000;
const RECOVER_MS = 1_500;

interface Stop {
  point: Point;
  fromMs: number;
  toMs: number;
}

/**
 * Stops processes (SIGSTOP) at chosen points of a write, a copy, a drain, a build, a deletion and more, identified by
 * what they send to Postgres, and measures how long writes to the same and to another index wait. During the whole
 * check indexes are created and deleted, and aliases are moved.
 */
export async function checkStops(parts: {
  system: System;
  api: Api;
  log: CallLog;
  run: string;
  random: Random;
  count: number;
  say: (line: string) => void;
  signal: AbortSignal;
}): Promise<{ result: StopsResult; problems: string[] }> {
  const { system, count, random, say } = parts;
  if (count === 0) return { result: { kinds: {}, stops: [], missed: [] }, problems: [] };
  const traffic = new Traffic(parts);
  await traffic.start();
  const direct = new DirectWrites(system.databaseUrl);
  const over = new AbortController();
  const signal = AbortSignal.any([parts.signal, over.signal]);
  const running = Promise.all([direct.run([REBUILT, ALIASED, ALONE], signal), traffic.loop(signal)]);
  running.catch(() => {});
  const stops: Stop[] = [];
  const missed: string[] = [];
  try {
    for (const point of planPoints(random, count)) {
      const at = `${point.kind} ${point.moment}`;
      const stop = await Promise.race([stopAt(system, point, parts.signal), running.then(() => null)]);
      parts.signal.throwIfAborted();
      if (stop) stops.push(stop);
      else missed.push(at);
      const [same, other] = stop ? waitsOf(stop, direct) : [[], []];
      say(stop ? `stopped at ${at}: same ${longest(same)} ms, other ${longest(other)} ms` : `nobody came by ${at}`);
      await system.untilReady();
      await sleep(RECOVER_MS);
    }
  } finally {
    over.abort();
    await running.finally(() => direct.close());
  }
  const result = resultOf(stops, direct, missed);
  return { result, problems: [...problemsOf(result), ...direct.errors, ...traffic.problems] };
}

/** Waits until a process reaches a point, stops it there for some seconds, and lets it continue. */
async function stopAt(system: System, point: Point, signal: AbortSignal): Promise<Stop | null> {
  const over = new AbortController();
  const reached = new Promise<{ fromMs: number; thaw: () => void }>((resolve) => {
    system.watchStatements((piece, statement) => {
      if (over.signal.aborted || !piece.startsWith(DEEDS[point.kind].of)) return null;
      const where = whereIn(point, statement);
      if (!where) return null;
      over.abort();
      let go = () => {};
      const until = new Promise<void>((resume) => {
        go = resume;
      });
      const goOn = system.freeze(piece as Piece);
      const thaw = () => {
        goOn();
        go();
      };
      resolve({ fromMs: Date.now(), thaw });
      return { where, until };
    });
  });
  const late = sleep(COME_BY_MS, null, { signal: AbortSignal.any([signal, over.signal]) }).catch(() => null);
  const first = await Promise.race([reached, late.then(async () => (over.signal.aborted ? reached : null))]);
  over.abort();
  system.watchStatements(() => null);
  if (!first) return null;
  await sleep(STOPPED_MS);
  const toMs = Date.now();
  first.thaw();
  return { point, fromMs: first.fromMs, toMs };
}

/** Waits of each write from the stop on: to the index that the process worked on, and to the one left alone. */
function waitsOf(stop: Stop, { writes }: DirectWrites): [number[], number[]] {
  const { same } = DEEDS[stop.point.kind];
  const target = same === 'rebuilt' ? REBUILT : same === 'aliased' ? ALIASED : null;
  const met = writesIn(stop, writes);
  const of = (name: string | null) => met.filter((write) => write.target === name).map((write) => waitOf(stop, write));
  return [of(target), of(ALONE)];
}

const writesIn = ({ fromMs, toMs }: Stop, writes: readonly DirectWrite[]) =>
  writes.filter((write) => write.toMs > fromMs && write.fromMs < toMs);
const waitOf = (stop: Stop, write: DirectWrite) => write.toMs - Math.max(write.fromMs, stop.fromMs);
const longest = (waits: readonly number[]) => waits.reduce((most, wait) => Math.max(most, wait), 0);

function resultOf(stops: readonly Stop[], direct: DirectWrites, missed: string[]): StopsResult {
  const kinds: StopsResult['kinds'] = {};
  for (const kind of new Set(stops.map(({ point }) => point.kind))) {
    const own = stops.filter(({ point }) => point.kind === kind);
    const waits = own.map((stop) => waitsOf(stop, direct));
    kinds[kind] = {
      stops: own.length,
      same: distributionOf(waits.flatMap(([same]) => same)),
      other: distributionOf(waits.flatMap(([, other]) => other)),
    };
  }
  return {
    kinds,
    missed,
    stops: stops.map((stop) => {
      const [same, other] = waitsOf(stop, direct);
      const control = writesIn(stop, direct.controls).map((write) => waitOf(stop, write));
      return {
        at: `${stop.point.kind} ${stop.point.moment}`,
        ...{ sameMs: longest(same), otherMs: longest(other), controlMs: longest(control) },
      };
    }),
  };
}

function problemsOf({ stops }: StopsResult): string[] {
  return stops.flatMap(({ at, sameMs, otherMs, controlMs }) => [
    ...(sameMs < MAX_SAME_MS ? [] : [`stopped at ${at}: a write to the same index waited ${sameMs} ms (${controlMs})`]),
    ...(otherMs < MAX_OTHER_MS
      ? []
      : [`stopped at ${at}: a write to another index waited ${otherMs} ms (${controlMs})`]),
  ]);
}
