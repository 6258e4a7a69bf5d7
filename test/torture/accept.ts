import { setTimeout as sleep } from 'node:timers/promises';
import { type createClient, ReembedError } from '../../src/client/client.ts';
import { isErrorType, messageOf } from '../../src/contract/errors.ts';

export type Api = ReturnType<typeof createClient>;

/** Errors and answers that the calls of a run got. */
export class CallLog {
  retries = 0;
  /** Errors by type that mean that a server was unavailable or did not receive the call. */
  readonly transient: Record<string, number>;
  /** Answers that a correct system never gives. */
  readonly violations: string[];

  /** When shared, it also records what happens there, but counts its own retries. */
  constructor(of?: CallLog) {
    this.transient = of?.transient ?? {};
    this.violations = of?.violations ?? [];
  }
}

/** Errors that an outage explains. `Internal` is not one of them: an API that cannot reach its servers reports that. */
const TRANSIENT = new Set(['ServerUnavailable', 'TemporalUnavailable', 'DatabaseUnavailable', 'TimeoutError']);
/** Answers of steering if the task has ended or never existed. */
export const TOO_LATE = ['TaskClosed', 'TaskNotFound'];

const CALL_TIMEOUT_MS = 15_000;

/**
 * Calls until there is a definite answer. An answer that did not come says nothing about what happened, so the call
 * must be one that may be repeated. A refusal is thrown, and noted where `expected` does not name its type.
 */
export async function insist<T>(
  log: CallLog,
  what: string,
  call: (signal: AbortSignal) => Promise<T>,
  options: { expected?: readonly string[]; giveUpMs?: number; timeoutMs?: number } = {},
): Promise<T> {
  const { expected = [], giveUpMs = 120_000, timeoutMs = CALL_TIMEOUT_MS } = options;
  for (const endMs = Date.now() + giveUpMs; ; ) {
    try {
      return await call(AbortSignal.timeout(timeoutMs));
    } catch (error) {
      const name = error instanceof Error ? error.name : 'unknown';
      const passing = TRANSIENT.has(name);
      if (!passing && expected.includes(name)) throw error;
      if (!passing) log.violations.push(`${what}: ${name}: ${messageOf(error)}`);
      // An unexpected server error may be temporary too, and the oracle needs the outcome of the write.
      if ((!passing && name !== 'Internal') || Date.now() > endMs) throw error;
      log.transient[name] = (log.transient[name] ?? 0) + 1;
      log.retries++;
      await sleep(200 + Math.random() * 400);
    }
  }
}

/** Like `insist`, but a refusal is an answer too: null. */
export async function tryTo<T>(
  log: CallLog,
  what: string,
  call: (signal: AbortSignal) => Promise<T>,
  expected: readonly string[],
): Promise<T | null> {
  try {
    return await insist(log, what, call, { expected, giveUpMs: 20_000 });
  } catch (error) {
    if (error instanceof ReembedError && isErrorType(error.name)) return null;
    if (error instanceof Error && error.name === 'TimeoutError') return null;
    throw error;
  }
}
