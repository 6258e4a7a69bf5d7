import type { ErrorType } from '../../../../src/contract/errors.ts';
import type { WireAnswer } from '../../../support/provider-wires.ts';

/** A refusal as the provider publishes it, and what it means. */
interface PublishedError {
  what: string;
  answer: WireAnswer;
  type: ErrorType;
  /** In milliseconds, where the provider says when to come again. */
  retryAfterMs?: number;
}

/** What a provider publishes of its refusals. */
export interface Published {
  errors: PublishedError[];
  /** How it refuses a call because the text in one place is longer than its window. */
  tooLong(place: number): WireAnswer;
}

type Written = [what: string, status: number, body: unknown, type: ErrorType, more?: Retry];

interface Retry {
  headers?: Record<string, string>;
  retryAfterMs?: number;
}

/** Makes the errors of a provider from the status and the body of each answer. */
export const errors = (...written: Written[]): PublishedError[] =>
  written.map(([what, status, body, type, { headers, retryAfterMs } = {}]) => ({
    ...{ what, type, answer: { status, body, ...(headers && { headers }) } },
    ...(retryAfterMs && { retryAfterMs }),
  }));
