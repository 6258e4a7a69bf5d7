import { setMaxListeners } from 'node:events';
import { durationText } from '../contract/durations.ts';
import { ReembedError } from '../contract/errors.ts';
import type { Json } from '../contract/json.ts';
import { travelled } from './json.ts';
import { withStrays } from './strays.ts';

/** A handler that has been asked to stop gets this long to do it; then it is left to itself. */
const STOP_MS = 5_000;
/** Node's timers hold no longer; the server's own hold beyond. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface AttemptOptions {
  name: string;
  taskId: string;
  timeoutMs: number;
  /** Aborted when someone cancels the job, or its worker stops. */
  canceled: AbortSignal;
  /** Why it was aborted, as what the attempt fails with. */
  cancelReason(): unknown;
}

/**
 * Runs `run` once within its time. Whatever a handler does, this ends: a little after its signal was aborted at the
 * latest. Errors: `TaskTimeout`, the reason of the cancel, `JobResultInvalid`, and what `run` threw or left unhandled.
 */
export async function runAttempt(
  { name, taskId, timeoutMs, canceled, cancelReason }: AttemptOptions,
  run: (signal: AbortSignal) => Promise<unknown>,
): Promise<Json> {
  const tooLong = new ReembedError('TaskTimeout', `${name} took longer than its timeout of ${durationText(timeoutMs)}`);
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(tooLong), Math.min(timeoutMs, LONGEST_TIMER_MS));
  const failed = new AbortController();
  const signal = AbortSignal.any([canceled, timeout.signal, failed.signal]);
  setMaxListeners(0, signal);
  const patience = giveUpAfter(signal, STOP_MS);
  try {
    const running = withStrays({ name, taskId }, () => Promise.race([run(signal), patience.over]));
    const value = await running;
    signal.throwIfAborted();
    return resultOf(name, value);
  } catch (error) {
    if (timeout.signal.aborted) throw tooLong;
    if (canceled.aborted) throw cancelReason();
    // What still goes on of it is asked to stop.
    failed.abort(error);
    throw error;
  } finally {
    clearTimeout(timer);
    patience.dispose();
  }
}

/** Rejects some time after the signal was aborted. */
function giveUpAfter(signal: AbortSignal, ms: number): { over: Promise<never>; dispose(): void } {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  const over = new Promise<never>((_, reject) => {
    onAbort = () => {
      timer = setTimeout(() => reject(signal.reason), ms);
    };
  });
  over.catch(() => {});
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    over,
    dispose() {
      signal.removeEventListener('abort', onAbort);
      clearTimeout(timer);
    },
  };
}

/** What a handler returned, as it is kept. @throws ReembedError `JobResultInvalid` */
export function resultOf(name: string, value: unknown): Json {
  try {
    return travelled(`the result of ${name}`, value) ?? null;
  } catch (error) {
    if (!(error instanceof ReembedError)) throw error;
    throw new ReembedError('JobResultInvalid', error.message, { cause: error });
  }
}
