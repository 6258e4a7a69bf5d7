import { setMaxListeners } from 'node:events';
import { durationText } from '../contract/durations.ts';
import { ReembedError } from '../contract/errors.ts';
import type { Json } from '../contract/json.ts';
import { travelled } from './json.ts';
import { withStrays } from './strays.ts';

/** Time that a handler has to stop after its signal is aborted; then it is abandoned. */
const STOP_MS = 5_000;
/** Max. delay of Node's timers; longer timeouts are enforced by the server. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface AttemptOptions {
  name: string;
  taskId: string;
  timeoutMs: number;
  /** Aborted when the job is canceled or its worker stops. */
  canceled: AbortSignal;
  /** Returns the error with which an aborted attempt fails. */
  cancelReason(): unknown;
}

/**
 * Runs `run` once with a timeout. Always ends, whatever the handler does: at the latest shortly after its signal was
 * aborted. Errors: `TaskTimeout`, the reason of the cancel, `JobResultInvalid`, and what `run` threw or left unhandled.
 */
export async function runAttempt(
  { name, taskId, timeoutMs, canceled, cancelReason }: AttemptOptions,
  run: (signal: AbortSignal) => Promise<unknown>,
): Promise<Json> {
  const tooLong = new ReembedError('TaskTimeout', `${name} took longer than its timeout of ${durationText(timeoutMs)}`);
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(tooLong), Math.min(timeoutMs, MAX_TIMER_MS));
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
    // Asks work that is still running to stop.
    failed.abort(error);
    throw error;
  } finally {
    clearTimeout(timer);
    patience.dispose();
  }
}

/** Returns a promise that rejects `ms` after the signal was aborted. */
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

/** Converts what a handler returned to the JSON that is stored. @throws ReembedError `JobResultInvalid` */
export function resultOf(name: string, value: unknown): Json {
  try {
    return travelled(`the result of ${name}`, value) ?? null;
  } catch (error) {
    if (!(error instanceof ReembedError)) throw error;
    throw new ReembedError('JobResultInvalid', error.message, { cause: error });
  }
}
