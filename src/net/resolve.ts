import { lookup } from 'node:dns/promises';
import pLimit from 'p-limit';
import type { Resolve, ResolvedAddress } from './addresses.ts';

export interface ResolverOptions {
  /** Lookups that run at the same time. */
  atOnce: number;
  /** The longest that a lookup may take, with its wait for a turn. */
  timeoutMs?: number;
  /** Lookups that may wait for a turn; more fail at once. */
  mostWaiting?: number;
  /** Instead of the system's resolver. */
  look?: Resolve;
}

const TIMEOUT_MS = 10_000;
const MOST_WAITING = 10_000;

/**
 * Makes a function that asks the system for all addresses of a name, a few names at a time. The system's resolver takes
 * a thread of the pool that also reads files and compresses, for as long as a name server keeps it waiting; a lookup
 * that was given up holds its turn until it has ended. Callers that ask for the same name at the same time share a lookup.
 * Errors: those of `dns.lookup`; code `ETIMEOUT`; code `EAGAIN` when too many wait.
 */
export function createResolver(options: ResolverOptions): Resolve {
  const { atOnce, timeoutMs = TIMEOUT_MS, mostWaiting = MOST_WAITING, look = systemLookup } = options;
  const turns = pLimit(atOnce);
  const running = new Map<string, Promise<ResolvedAddress[]>>();
  return (hostname) => {
    const shared = running.get(hostname);
    if (shared) return within(timeoutMs, hostname, shared);
    if (turns.pendingCount >= mostWaiting)
      return Promise.reject(failure('EAGAIN', `too many lookups wait: ${hostname}`));
    const asked = Date.now();
    const mine = turns(() => {
      // Nobody waits for it any more.
      if (Date.now() - asked >= timeoutMs) throw timedOut(hostname);
      return look(hostname);
    }).finally(() => running.delete(hostname));
    running.set(hostname, mine);
    return within(timeoutMs, hostname, mine);
  };
}

const systemLookup: Resolve = (hostname) => lookup(hostname, { all: true });

/** URIs and models have turns of their own: names that somebody makes slow must not keep models from being called. */
export const resolveForLoads = createResolver({ atOnce: 2 });
export const resolveForModels = createResolver({ atOnce: 1 });

function within<T>(ms: number, hostname: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(timedOut(hostname)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function timedOut(hostname: string): Error {
  return failure('ETIMEOUT', `${hostname} was not found in time`);
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
