import type { Client } from '@temporalio/client';
import { KEYS } from '../../contract/search-attributes.ts';
import { decodeTypedSearchAttributes } from '../sdk-internals.ts';
import { and, createdWithin } from './query.ts';
import { countExecutions, listAllExecutions, listExecutions, type RawExecution } from './visibility.ts';

/**
 * Lists tasks in a stable order. Temporal returns running workflows first, then the last ended ones, and has no ORDER
 * BY: a task that ends while someone pages through that order is repeated or missed. The creation time of a task never
 * changes, through its end, its restarts and its continued runs. So a page is what was created in a time range, read
 * completely and sorted here; the range should hold a little more than the page needs. Rows are the main cost: fifty of
 * them cost five to ten times as much as a count.
 */

/** A position in the order: newest first, and by id within a millisecond. */
export interface Place {
  createdMs: number;
  id: string;
}

export interface Placed extends Place {
  raw: RawExecution;
}

/** A range is narrowed by counting until it holds at most `ROOM` times what is wanted; guesses aim at `AIM` times. */
const ROOM = 1.6;
const AIM = 1.3;
const MAX_STEPS = 24;
/** Rows from which the time between tasks is estimated. */
const SAMPLE = 10;

/**
 * Returns the newest `wanted` workflows after a position, or fewer at the end. `paceMs` is the average time between two
 * tasks of the previous page; it saves the request that estimates it.
 */
export async function readNewest(
  client: Client,
  query: string,
  after: Place | undefined,
  wanted: number,
  paceMs?: number,
): Promise<Placed[]> {
  const found: Placed[] = [];
  let beforeMs = after && after.createdMs + 1;
  while (found.length < wanted) {
    const { stretch, fromMs } = await readStretch(client, query, beforeMs, wanted - found.length, paceMs);
    found.push(...inOrder(stretch).filter((one) => after === undefined || comesAfter(one, after)));
    if (fromMs === undefined) break;
    beforeMs = fromMs;
  }
  return found.slice(0, wanted);
}

/** Reads everything created between `fromMs` and `beforeMs`: at least `wanted` rows, or, without `fromMs`, all. */
async function readStretch(
  client: Client,
  query: string,
  beforeMs: number | undefined,
  wanted: number,
  paceMs: number | undefined,
): Promise<{ stretch: RawExecution[]; fromMs: number | undefined }> {
  const until = beforeMs === undefined ? query : and(query, createdWithin(undefined, beforeMs));
  const count = (fromMs: number) => countExecutions(client, and(query, createdWithin(fromMs, beforeMs)));
  const [all, guess] = await Promise.all([
    countExecutions(client, until),
    beforeMs !== undefined && paceMs !== undefined
      ? { anchorMs: beforeMs, paceMs, isNewest: true }
      : lookAround(client, until),
  ]);
  const search = { ...guess, beforeMs: beforeMs ?? Date.now(), wanted };
  const fromMs = await findStart(search, all, count);
  const stretch = fromMs === undefined ? until : and(query, createdWithin(fromMs, beforeMs));
  return { stretch: await listAllExecutions(client, stretch, Math.ceil(wanted * ROOM) + 10), fromMs };
}

interface Guess {
  anchorMs: number;
  /** Whether nothing was created at or after `anchorMs`. */
  isNewest: boolean;
  /** Average time between two tasks before `anchorMs`. */
  paceMs: number;
}

/** Estimates the time between tasks from a sample. */
async function lookAround(client: Client, query: string): Promise<Guess> {
  const { executions } = await listExecutions(client, query, SAMPLE);
  const times = executions.map(createdMsOf);
  const anchorMs = Math.max(0, ...times) + 1;
  const paceMs = (anchorMs - Math.min(anchorMs, ...times)) / Math.max(1, times.length);
  return { anchorMs, paceMs, isNewest: executions.length < SAMPLE };
}

/** Finds a start of the range with at least `wanted` rows, but few more; undefined to read everything. */
async function findStart(
  { anchorMs, paceMs, isNewest, beforeMs, wanted }: Guess & { beforeMs: number; wanted: number },
  all: number,
  count: (fromMs: number) => Promise<number>,
): Promise<number | undefined> {
  let guess = Math.max(0, anchorMs - Math.ceil(paceMs * wanted * AIM) - 1);
  if (all <= wanted * ROOM) return undefined;
  const [first, newer] = await Promise.all([count(guess), isNewest ? 0 : count(anchorMs)]);
  const enough: { ms: number | undefined; count: number } = { ms: undefined, count: all };
  const tooFew = { ms: Math.max(beforeMs, anchorMs + 1), count: 0 };
  const learn = (since: { ms: number; count: number }) => Object.assign(since.count >= wanted ? enough : tooFew, since);
  learn({ ms: anchorMs, count: newer });
  if (enough.ms === undefined) learn({ ms: guess, count: first });
  for (let step = 1; step <= MAX_STEPS && enough.count > wanted * ROOM; step++) {
    if (enough.ms === undefined) {
      const times = Math.min(16, Math.max(2, (AIM * wanted) / Math.max(1, tooFew.count)));
      guess = Math.max(0, anchorMs - Math.ceil((anchorMs - tooFew.ms + 1) * times));
    } else {
      if (tooFew.ms - enough.ms <= 1) break;
      // Interpolates as if tasks were evenly spread, and bisects every other time in case they are not.
      const even = (AIM * wanted - tooFew.count) / (enough.count - tooFew.count);
      guess = tooFew.ms - Math.round((tooFew.ms - enough.ms) * (step % 2 === 0 ? 0.5 : even));
      guess = Math.min(tooFew.ms - 1, Math.max(enough.ms + 1, guess));
    }
    learn({ ms: guess, count: await count(guess) });
  }
  return enough.ms;
}

/** Sorts newest first, each task once: during a restart, Temporal may list the old run and the new one. */
function inOrder(stretch: readonly RawExecution[]): Placed[] {
  const byId = new Map<string, Placed & { startMs: number }>();
  for (const raw of stretch) {
    const one = { raw, id: raw.execution?.workflowId ?? '', createdMs: createdMsOf(raw), startMs: startMsOf(raw) };
    const other = byId.get(one.id);
    if (!other || other.startMs < one.startMs) byId.set(one.id, one);
  }
  return [...byId.values()].sort((left, right) => (comesAfter(left, right) ? 1 : -1));
}

function comesAfter(one: Place, other: Place): boolean {
  return one.createdMs === other.createdMs ? one.id > other.id : one.createdMs < other.createdMs;
}

function createdMsOf(raw: RawExecution): number {
  const attributes = decodeTypedSearchAttributes(raw.searchAttributes?.indexedFields);
  return attributes.get(KEYS.createTime)?.getTime() ?? startMsOf(raw);
}

function startMsOf({ startTime }: RawExecution): number {
  return Number(startTime?.seconds ?? 0) * 1_000 + Math.floor((startTime?.nanos ?? 0) / 1_000_000);
}
