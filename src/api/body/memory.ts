import type { Context } from 'hono';
import { ReembedError } from '../../contract/errors.ts';
import { LIMITS } from '../../contract/limits.ts';
import { ByteBudget, type Hold } from '../../cpu/byte-budget.ts';
import { eachInTurn } from '../../cpu/pace.ts';
import { onSent } from '../response-end.ts';

/** Smaller bodies and answers are not counted. */
const SMALL_BYTES = 64 * 1024;

/** Bodies that one process holds at once. Parsing takes several times this. */
const BODIES = new ByteBudget(2 * LIMITS.bodyBytes);
/** Answers that callers have not read yet. */
const ANSWERS = new ByteBudget(4 * LIMITS.answerBytes);
/** Maximum wait for memory; after it the caller gets `TooManyRequests`. */
const WAIT_MS = 20_000;
const RETRY_MS = 2_000;

/** The bytes of one request body that a process holds. */
export interface HeldBody {
  /** Sets the number of bytes. Returns false if the budget has no room for them. */
  tryHold(bytes: number): boolean;
  /** Sets the number of bytes, waiting if necessary. Error: `TooManyRequests`. */
  hold(bytes: number): Promise<void>;
  release(): void;
}

/** Counts a body as it arrives: a slow body holds only the bytes that have arrived. */
export function openBody(signal?: AbortSignal): HeldBody {
  const growing = BODIES.open();
  const counted = (bytes: number) => (bytes > SMALL_BYTES ? bytes : 0);
  return {
    tryHold: (bytes) => growing.tryGrow(counted(bytes)),
    async hold(bytes) {
      const isHeld = await growing.grow(counted(bytes), { waitMs: WAIT_MS, signal });
      if (!isHeld) refuse('reads as many large bodies');
    },
    release: growing.release,
  };
}

const bodies = new WeakMap<Request, HeldBody>();

/** Returns what counts a body that is read whole; `letGoOfBody` or the end of the answer releases it. */
export function openBodyOf(c: Context): Pick<HeldBody, 'hold'> {
  const body = openBody(c.req.raw.signal);
  bodies.set(c.req.raw, body);
  // Without a connection there is no end to wait for: nothing is counted. After its end nothing may be counted any more.
  let isCounted = c.env?.outgoing !== undefined;
  onSent(c, () => {
    isCounted = false;
    body.release();
  });
  return {
    async hold(bytes) {
      if (isCounted) await body.hold(bytes);
      // The connection may have ended during the wait.
      if (!isCounted) body.release();
    },
  };
}

/** Releases a body that is no longer needed. */
export function letGoOfBody(c: Context): void {
  bodies.get(c.req.raw)?.release();
}

/** Waits until callers have read enough of earlier answers. Error: `TooManyRequests`. */
export async function roomForAnswer(signal: AbortSignal, waitMs = WAIT_MS): Promise<void> {
  const hold = (await ANSWERS.take(1, { waitMs, signal })) ?? refuse('holds as many answers that nobody reads');
  hold.release();
}

/**
 * Answers with JSON that counts against the budget until it is sent. Other requests have their turns between the items
 * of its lists.
 */
export async function sendCounted(c: Context, body: object): Promise<Response> {
  const fields: string[] = [];
  for (const [key, value] of Object.entries(body)) {
    if (value !== undefined) fields.push(`${JSON.stringify(key)}:${await jsonInTurns(value)}`);
  }
  return sendJsonText(c, `{${fields.join(',')}}`);
}

async function jsonInTurns(value: unknown): Promise<string> {
  if (!Array.isArray(value)) return JSON.stringify(value);
  return `[${(await eachInTurn(value, (item) => JSON.stringify(item))).join(',')}]`;
}

/** Answers with serialized JSON that counts against the budget until it is sent. */
export function sendJsonText(c: Context, text: string): Response {
  if (text.length > SMALL_BYTES) onSent(c, ANSWERS.add(text.length).release);
  return c.body(text, 200, { 'content-type': 'application/json' });
}

/** Counts bytes that a stream has read and not sent yet. */
export function countStreamed(bytes: number): Hold {
  return ANSWERS.add(bytes);
}

function refuse(what: string): never {
  throw new ReembedError('TooManyRequests', `the process ${what} as its memory allows`, { retryAfterMs: RETRY_MS });
}
