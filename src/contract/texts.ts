import { z } from 'zod';
import { storageProblem } from './json.ts';

/** Schema of a text that Temporal and Postgres can store: no NUL, no lone surrogate. */
export function plainText(maxChars: number) {
  return z
    .string()
    .max(maxChars)
    .superRefine((text, ctx) => {
      const message = storageProblem(text);
      if (message) ctx.addIssue({ code: 'custom', message });
    });
}

/** For `regex` of a text to be embedded: models refuse white space alone, or answer with a vector that means nothing. */
export const NOT_BLANK = [/\S/, 'must not be blank'] as const;

/** Schema of a text to be embedded. */
export function wordsOfAtMost(maxChars: number) {
  return z
    .string()
    .min(1, { abort: true })
    .max(maxChars)
    .regex(...NOT_BLANK);
}

/** Formats a share of 0 to 1 in percent, with at most one decimal. */
export function percentText(share: number): string {
  return `${Math.round(share * 1_000) / 10} %`;
}
