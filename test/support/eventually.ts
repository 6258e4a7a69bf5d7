import { setTimeout as delay } from 'node:timers/promises';

/** A limit for what hangs: on a slow machine, too, what is awaited takes a fraction of it. */
const LIMIT_MS = 90_000;

/**
 * Looks again and again until what is seen fits, or until the limit, and returns what was seen last. The pauses grow with
 * the time that has passed: many looks would take the processor from what they wait for.
 */
export async function eventually<T>(
  look: () => Promise<T>,
  fits: (seen: T) => boolean,
  limitMs = LIMIT_MS,
): Promise<T> {
  for (const startMs = Date.now(); ; ) {
    const seen = await look();
    const elapsedMs = Date.now() - startMs;
    if (fits(seen) || elapsedMs > limitMs) return seen;
    await delay(Math.min(100, Math.max(20, elapsedMs / 50)));
  }
}

/** The same for what has to come. @throws Error that tells what was seen last */
export async function seenWhen<T>(look: () => Promise<T>, fits: (seen: T) => boolean, what = 'it'): Promise<T> {
  const seen = await eventually(look, fits);
  if (!fits(seen)) throw new Error(`${what} never fitted: ${JSON.stringify(seen)}`);
  return seen;
}
