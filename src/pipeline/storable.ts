import { ReembedError } from '../contract/errors.ts';
import type { Payload } from '../contract/objects.ts';

/** Far more than real documents have; recursion over a payload must not run out of stack, nor Postgres out of its own. */
const MAX_DEPTH = 200;

/**
 * Throws `InvalidInput` for what Postgres cannot store as jsonb: NUL characters and lone surrogates in texts and keys,
 * and absurd nesting. Found here, it fails one object; found by Postgres, it would fail the whole batch.
 */
export function assertStorable(payload: Payload): void {
  check(payload, 0);
}

function check(value: unknown, depth: number): void {
  if (typeof value === 'string') checkText(value);
  if (typeof value !== 'object' || value === null) return;
  if (depth >= MAX_DEPTH) {
    throw new ReembedError('InvalidInput', `the payload is nested deeper than ${MAX_DEPTH} levels`);
  }
  if (Array.isArray(value)) {
    for (const element of value) check(element, depth + 1);
    return;
  }
  for (const [key, member] of Object.entries(value)) {
    checkText(key);
    check(member, depth + 1);
  }
}

function checkText(text: string): void {
  if (text.includes('\u0000')) throw new ReembedError('InvalidInput', 'the payload has NUL characters: it is no text');
  if (!text.isWellFormed()) throw new ReembedError('InvalidInput', 'the payload is not well-formed text');
}
