import type { Client } from '@temporalio/client';
import { decodeTypedSearchAttributes } from '@temporalio/common/lib/converter/payload-search-attributes.js';
import { taskCreateTimeKey } from './names.ts';
import { and, createdWithin } from './task-filter.ts';
import { countExecutions, listAllExecutions, listExecutions, type RawExecution } from './visibility.ts';

/**
 * Lists in an order that does not move. Temporal gives those that run first, then those that ended last, and has no
 * ORDER BY: a task that ends while someone walks that order comes again or is missed. When a task was created never
 * changes, through its end, its restarts and the runs it goes on as. So a page is what was created in a stretch of time,
 * read whole and sorted here; the art is to find a stretch that holds a little more than the page needs.
 */

/** A place in the order: newest first, and of one millisecond by id. */
export interface Place {
  createdMs: number;
  id: string;
}

export interface Placed extends Place {
  raw: RawExecution;
}

/** A stretch is narrowed by counting until it holds at most so many times what is wanted: rows cost far more. */
const ROOM = 1.5;
const MOST_STEPS = 16;

/** The newest `wanted` workflows after a place, or fewer at the end. */
export async function readNewest(
  client: Client,
  query: string,
  after: Place | undefined,
  wanted: number,
): Promise<Placed[]> {
  const found: Placed[] = [];
  let beforeMs = after && after.createdMs + 1;
  while (found.length < wanted) {
    const { stretch, fromMs } = await readStretch(client, query, beforeMs, wanted - found.length);
    found.push(...inOrder(stretch).filter((one) => after === undefined || comesAfter(one, after)));
    if (fromMs === undefined) break;
    beforeMs = fromMs;
  }
  return found.slice(0, wanted);
}

/** Everything created from `fromMs` on and before a moment: at least `wanted`, or, without `fromMs`, all there is. */
async function readStretch(client: Client, query: string, beforeMs: number | undefined, wanted: number) {
  const until = beforeMs === undefined ? query : and(query, createdWithin(undefined, beforeMs));
  const sample = await listExecutions(client, until, wanted);
  if (sample.token.length === 0) return { stretch: sample.executions, fromMs: undefined };
  // So many at least are not older than the oldest of any so many.
  const oldestMs = Math.min(...sample.executions.map(createdMsOf));
  const count = (fromMs: number) => countExecutions(client, and(query, createdWithin(fromMs, beforeMs)));
  const fromMs = await narrow(oldestMs, beforeMs ?? Date.now(), wanted, count);
  const stretch = and(query, createdWithin(fromMs, beforeMs));
  return { stretch: await listAllExecutions(client, stretch, Math.ceil(wanted * ROOM) + 10), fromMs };
}

/** A later moment than `fromMs`, since when not many more than are wanted were created, but not fewer. */
async function narrow(
  fromMs: number,
  beforeMs: number,
  wanted: number,
  count: (fromMs: number) => Promise<number>,
): Promise<number> {
  const enough = { ms: fromMs, count: await count(fromMs) };
  const tooFew = { ms: Math.max(beforeMs, fromMs + 1), count: 0 };
  for (let step = 1; step <= MOST_STEPS && enough.count > wanted * ROOM && tooFew.ms - enough.ms > 1; step++) {
    // As if tasks came evenly, and every other time in the middle, in case they do not at all.
    const share = step % 2 === 0 ? 0.5 : (((1 + ROOM) / 2) * wanted - tooFew.count) / (enough.count - tooFew.count);
    const guess = tooFew.ms - Math.round((tooFew.ms - enough.ms) * share);
    const ms = Math.min(tooFew.ms - 1, Math.max(enough.ms + 1, guess));
    const since = { ms, count: await count(ms) };
    Object.assign(since.count >= wanted ? enough : tooFew, since);
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
