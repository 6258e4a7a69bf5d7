import { lookup } from 'node:dns/promises';
import pLimit from 'p-limit';
import type { Resolve, ResolvedAddress } from './addresses.ts';

export interface ResolverOptions {
  /** Max lookups in parallel. */
  atOnce: number;
  /** Max time of a lookup, including its wait for a turn; default: 10 s. */
  timeoutMs?: number;
  /** Max lookups waiting for a turn; more fail immediately. */
  maxWaiting?: number;
  /** Replaces the system's resolver. */
  look?: Resolve;
}

const TIMEOUT_MS = 10_000;
const MAX_WAITING = 10_000;
/** How long a name that nobody answered for fails at once, in time-outs: retries of a load do not wait for it again. */
const SILENT_FOR = 6;
const MAX_SILENT = 10_000;

/**
 * Creates a function that looks up all addresses of a name with the system's resolver, a few names at a time. Each
 * lookup occupies a thread of the pool that also reads files and compresses, for as long as a name server takes; a
 * lookup that timed out keeps its turn until it has ended. Concurrent calls for the same name share a lookup. A name whose
 * lookup timed out fails at once for a minute, unless it is answered after all. Errors: those of `dns.lookup`; with the
 * same `syscall`, code `ETIMEOUT`, or `EAGAIN` if too many wait.
 */
export function createResolver(options: ResolverOptions): Resolve {
  const { atOnce, timeoutMs = TIMEOUT_MS, maxWaiting = MAX_WAITING, look = systemLookup } = options;
  const turns = pLimit(atOnce);
  const running = new Map<string, Promise<ResolvedAddress[]>>();
  /** Until when a name fails at once. */
  const silent = new Map<string, number>();
  const begun = new Set<string>();
  const inTime = (hostname: string, found: Promise<ResolvedAddress[]>) =>
    within(timeoutMs, hostname, found, () => {
      // One that has waited for its turn all the time says nothing about its name.
      if (!begun.has(hostname)) return;
      if (silent.size >= MAX_SILENT) silent.clear();
      silent.set(hostname, Date.now() + SILENT_FOR * timeoutMs);
    });
  return (hostname) => {
    if ((silent.get(hostname) ?? 0) > Date.now()) return Promise.reject(timedOut(hostname));
    const shared = running.get(hostname);
    if (shared) return inTime(hostname, shared);
    if (turns.pendingCount >= maxWaiting)
      return Promise.reject(failure('EAGAIN', `too many lookups wait: ${hostname}`));
    const asked = Date.now();
    const mine = turns(async () => {
      // The caller has given up by now.
      if (Date.now() - asked >= timeoutMs) throw timedOut(hostname);
      begun.add(hostname);
      const found = await look(hostname);
      silent.delete(hostname);
      return found;
    }).finally(() => {
      running.delete(hostname);
      begun.delete(hostname);
    });
    running.set(hostname, mine);
    return inTime(hostname, mine);
  };
}

const systemLookup: Resolve = (hostname) => lookup(hostname, { all: true });

/** URIs and models have separate turns, so that slow names in URIs cannot block calls of models. */
export const resolveForLoads = createResolver({ atOnce: 2 });
export const resolveForModels = createResolver({ atOnce: 1 });

function within<T>(ms: number, hostname: string, work: Promise<T>, onLate: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      onLate();
      reject(timedOut(hostname));
    }, ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function timedOut(hostname: string): Error {
  return failure('ETIMEOUT', `${hostname} was not resolved in time`);
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code, syscall: 'getaddrinfo' });
}
