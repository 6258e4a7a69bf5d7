import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { type Embedder, PartialAnswer, wrapEmbedder } from '../contract/embedder.ts';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { WAITS } from '../contract/names.ts';
import { WAITS_MESSAGE_CHARS, type WaitsFor } from '../contract/waits.ts';

/** The same wait is told again only after so long: each time is some events of history. */
const AGAIN_MS = 60_000;
/** A wait that is over is told before the activity ends only when it was shown for so long. */
const SHOWN_MS = 5_000;
/** The longest wait for the last of it to be sent. */
const FINISH_MS = 2_000;
/** From here on a call that is not answered is a wait. */
const PATIENT_MS = 1_500;

/** Calls that fail for so long are a wait, whatever is tried meanwhile. */
const FAILING_MS = 700;
/** A call that is held back for less is not told. */
const LEAST_HOLD_MS = 1_000;

/** Tells the task of an activity what the activity waits for. */
export interface Waits {
  /** It waits, for so long if that is known. */
  begin(error: unknown, forMs: number | null): void;
  /** It goes on. */
  end(): void;
}

interface Told extends Waits {
  /** Tells that nothing is waited for, if something was. */
  finish(): Promise<void>;
  /** Leaves what was told last, for the next try. */
  close(): Promise<void>;
}

const none: Told = { begin() {}, end() {}, finish: async () => {}, close: async () => {} };
const ofActivity = new WeakMap<Context, Told>();

/** What the running activity tells of its waits; a local activity, which waits for nothing, tells nothing. */
export function waitsOf(client: Client): Waits {
  const context = Context.current();
  const known = ofActivity.get(context);
  if (known) return known;
  const made = context.info.isLocal ? none : createWaits(client, context);
  ofActivity.set(context, made);
  return made;
}

function createWaits(client: Client, { info }: Context): Told {
  const { activityId, activityType, workflowExecution } = info;
  let since: string | null = null;
  let shown: { reason: string; atMs: number } | null = null;
  let sending: Promise<unknown> = Promise.resolve();
  // An earlier try may have told of a wait and died.
  let mayBeShown = info.attempt > 1;
  // What ends later than the activity is no wait of it.
  let isOver = false;
  const send = (waits: WaitsFor | null) => {
    if (!workflowExecution) return;
    const { workflowId, runId } = workflowExecution;
    const handle = client.workflow.getHandle(workflowId, runId);
    // A task that has ended meanwhile need not know.
    sending = sending.then(() => handle.signal(WAITS, activityId, waits)).catch(() => {});
  };
  return {
    begin(error, forMs) {
      if (isOver) return;
      const nowMs = Date.now();
      since ??= new Date(nowMs).toISOString();
      const reason = error instanceof ReembedError ? error.type : 'Internal';
      if (shown?.reason === reason && nowMs - shown.atMs < AGAIN_MS) return;
      shown = { reason, atMs: nowMs };
      mayBeShown = true;
      const nextTry = forMs === null ? null : new Date(nowMs + forMs).toISOString();
      const message = messageOf(error).slice(0, WAITS_MESSAGE_CHARS);
      send({ activity: activityType, reason, message, since, nextTry });
    },
    end() {
      since = null;
      if (shown === null || Date.now() - shown.atMs < SHOWN_MS) return;
      shown = null;
      mayBeShown = false;
      send(null);
    },
    async close() {
      isOver = true;
      await Promise.race([sending, delay(FINISH_MS, undefined, { ref: false })]);
    },
    async finish() {
      isOver = true;
      if (mayBeShown) send(null);
      // A server that does not answer must not hold up the end of the activity.
      await Promise.race([sending, delay(FINISH_MS, undefined, { ref: false })]);
    },
  };
}

type Functions = Record<string, (...args: never[]) => Promise<unknown>>;

/** The same activities, whose waits end with them, and which tell why Temporal is to try them again. */
export function withWaits<T extends object>(activities: T, client: Client): T {
  return Object.fromEntries(
    Object.entries(activities as Functions).map(([name, run]) => [
      name,
      async (...args: never[]) => {
        const waits = waitsOf(client) as Told;
        try {
          const result = await run(...args);
          await waits.finish();
          return result;
        } catch (error) {
          const isAgain = error instanceof ReembedError && error.retryable && error.type.startsWith('Model');
          if (isAgain) waits.begin(error, error.retryAfterMs ?? null);
          await (isAgain ? waits.close() : waits.finish());
          throw error;
        }
      },
    ]),
  ) as T;
}

/** The same embedder; the activity tells when a call of it fails or takes long to be answered, until one is answered. */
export function watched(embedder: Embedder, waits: Waits): Embedder {
  let lastError: ReembedError | undefined;
  let failing: NodeJS.Timeout | undefined;
  const failed = (error: unknown) => {
    if (!(error instanceof ReembedError) || !error.retryable) return;
    lastError = error;
    failing ??= setTimeout(() => waits.begin(lastError, null), FAILING_MS);
  };
  const answered = () => {
    lastError = undefined;
    clearTimeout(failing);
    failing = undefined;
    waits.end();
  };
  return wrapEmbedder(embedder, async (texts, options) => {
    let startedMs = Date.now();
    const tell = () => {
      const message = `a call with ${texts.length} texts, made at ${new Date(startedMs).toISOString()}, is not answered yet`;
      waits.begin(lastError ?? new ReembedError('ModelUnavailable', message), null);
    };
    let timer = setTimeout(tell, PATIENT_MS);
    const onHold = (why: ReembedError, forMs: number) => {
      clearTimeout(timer);
      if (forMs >= LEAST_HOLD_MS) waits.begin(why, forMs);
      startedMs = Date.now() + forMs;
      timer = setTimeout(tell, forMs + PATIENT_MS);
    };
    try {
      const vectors = await embedder.embed(texts, { ...options, onHold });
      answered();
      return vectors;
    } catch (error) {
      if (error instanceof PartialAnswer) answered();
      else failed(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  });
}
