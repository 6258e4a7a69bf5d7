import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { type Embedder, PartialAnswer, wrapEmbedder } from '../../contract/embedder.ts';
import { messageOf, ReembedError } from '../../contract/errors.ts';
import { WAITS } from '../../contract/names.ts';
import { WAITS_MESSAGE_CHARS, type WaitsFor } from '../../contract/waits.ts';
import { wrapEach } from '../../contract/wrap-each.ts';
import { createWaitClock } from './wait-clock.ts';

/** The same wait is reported again only after this time, since each report adds events to the history. */
const AGAIN_MS = 60_000;
/** The end of a wait is reported before the activity ends only if the wait was shown for this long. */
const SHOWN_MS = 5_000;
/** Max time to wait until the last report is sent. */
const FINISH_MS = 2_000;
/** A call that is not answered for this long counts as a wait. */
const PATIENT_MS = 1_500;

/** Calls that keep failing for this long count as a wait, whatever is retried. */
const FAILING_MS = 700;
/** A call that is held for a shorter time is not reported. */
const MIN_HOLD_MS = 1_000;

/** Reports to the task what its activity waits for. */
export interface Waits {
  /** The activity waits, for `forMs` milliseconds if known. */
  begin(error: unknown, forMs: number | null): void;
  /** The activity continues. */
  end(): void;
  /** The limit of the model holds a call for this many milliseconds from now on. */
  held(forMs: number): void;
  /** How long at least one call was held, in milliseconds, with the rest of one that is held now. */
  heldMs(): number;
}

interface ReportedWaits extends Waits {
  /** Reports that the activity no longer waits, if it did. */
  finish(): Promise<void>;
  /** Keeps the last report for the next attempt. */
  close(): Promise<void>;
}

const none: ReportedWaits = {
  begin() {},
  end() {},
  held() {},
  heldMs: () => 0,
  finish: async () => {},
  close: async () => {},
};
const ofActivity = new WeakMap<Context, ReportedWaits>();

/** Returns the wait reports of the running activity; a local activity does not wait and reports nothing. */
export function waitsOf(client: Client): Waits {
  const context = Context.current();
  const known = ofActivity.get(context);
  if (known) return known;
  const made = context.info.isLocal ? none : createWaits(client, context);
  ofActivity.set(context, made);
  return made;
}

function createWaits(client: Client, { info }: Context): ReportedWaits {
  const { activityId, activityType, workflowExecution } = info;
  let since: string | null = null;
  let shown: { reason: string; atMs: number } | null = null;
  let sending: Promise<unknown> = Promise.resolve();
  // An earlier attempt may have reported a wait and died.
  let mayBeShown = info.attempt > 1;
  // Events after the end of the activity are ignored.
  let isOver = false;
  const holds = createWaitClock();
  const send = (waits: WaitsFor | null) => {
    if (!workflowExecution) return;
    const { workflowId, runId } = workflowExecution;
    const handle = client.workflow.getHandle(workflowId, runId);
    // A task that has ended does not need the report.
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
    held(forMs) {
      const nowMs = performance.now();
      holds.add(nowMs, nowMs + forMs);
    },
    heldMs: holds.ms,
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

/** Wraps activities so that their waits end with them, and that a retry by Temporal is reported with its reason. */
export function withWaits<T extends object>(activities: T, client: Client): T {
  return wrapEach(activities, async (run, args) => {
    const waits = waitsOf(client) as ReportedWaits;
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
  });
}

/** Wraps an embedder so that the activity reports calls that fail or take long, until one is answered. */
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
      const message = `a call with ${texts.length} texts, made at ${new Date(startedMs).toISOString()}, has no answer yet`;
      waits.begin(lastError ?? new ReembedError('ModelUnavailable', message), null);
    };
    let timer = setTimeout(tell, PATIENT_MS);
    const onHold = (why: ReembedError, forMs: number) => {
      clearTimeout(timer);
      if (forMs >= MIN_HOLD_MS) waits.begin(why, forMs);
      waits.held(forMs);
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
