import type { Client } from '@temporalio/client';
import { decodeTypedSearchAttributes } from '@temporalio/common/lib/converter/payload-search-attributes.js';
import { taskCreateTimeKey } from './names.ts';
import { and, createdWithin } from './task-filter.ts';
import { countExecutions, listAllExecutions, listExecutions, type RawExecution } from './visibility.ts';

/**
 * Lists in an order that does not move. Temporal gives those that run first, then those that ended last, and has no
 * ORDER BY: a task that ends while someone walks that order comes again or is missed. When a task was created never
 * changes, through its end, its restarts and the runs it goes on as. So a page is what was created in a stretch of time,
 * read whole and sorted here; the art is to find a stretch that holds a little more than the page needs. Rows are what
 * costs, five to ten times a count for each fifty.
 */

/** A place in the order: newest first, and of one millisecond by id. */
export interface Place {
  createdMs: number;
  id: string;
}

export interface Placed extends Place {
  raw: RawExecution;
}

/** A stretch is narrowed by counting until it holds at most so many times what is wanted; the first guess is in between. */
const ROOM = 1.6;
const AIM = 1.3;
const MOST_STEPS = 24;
/** Rows from which it is guessed how dense tasks lie. */
const SAMPLE = 10;

/**
 * The newest `wanted` workflows after a place, or fewer at the end. `paceMs` is the time between two of the page before:
 * it saves a look at how dense tasks lie.
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

/** Everything created from `fromMs` on and before another moment: at least `wanted`, or, without `fromMs`, all there is. */
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
  /** That nothing was created from then on. */
  isNewest: boolean;
  /** From there on back, the time between two tasks. */
  paceMs: number;
}

/** How dense tasks lie, by some of them. */
async function lookAround(client: Client, query: string): Promise<Guess> {
  const { executions } = await listExecutions(client, query, SAMPLE);
  const times = executions.map(createdMsOf);
  const anchorMs = Math.max(0, ...times) + 1;
  const paceMs = (anchorMs - Math.min(anchorMs, ...times)) / Math.max(1, times.length);
  return { anchorMs, paceMs, isNewest: executions.length < SAMPLE };
}

/** A moment since when not many more than are wanted were created, but not fewer; undefined for the beginning of time. */
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
  for (let step = 1; step <= MOST_STEPS && enough.count > wanted * ROOM; step++) {
    if (enough.ms === undefined) {
      const times = Math.min(16, Math.max(2, (AIM * wanted) / Math.max(1, tooFew.count)));
      guess = Math.max(0, anchorMs - Math.ceil((anchorMs - tooFew.ms + 1) * times));
    } else {
      if (tooFew.ms - enough.ms <= 1) break;
      // As if tasks came evenly, and every other time in the middle, in case they do not at all.
      const even = (AIM * wanted - tooFew.count) / (enough.count - tooFew.count);
      guess = tooFew.ms - Math.round((tooFew.ms - enough.ms) * (step % 2 === 0 ? 0.5 : even));
      guess = Math.min(tooFew.ms - 1, Math.max(enough.ms + 1, guess));
    }
    learn({ ms: guess, count: await count(guess) });
  }
  return enough.ms;
}

/** Newest first, each task once: while one is being restarted, Temporal may list its old run beside the new one. */
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
  return attributes.get(taskCreateTimeKey)?.getTime() ?? startMsOf(raw);
}

function startMsOf({ startTime }: RawExecution): number {
  return Number(startTime?.seconds ?? 0) * 1_000 + Math.floor((startTime?.nanos ?? 0) / 1_000_000);
}
