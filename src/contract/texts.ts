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

/** Schema of a text to be embedded: models refuse white space alone, or answer with a vector that means nothing. */
export function notBlank(text: z.ZodString) {
  return text.min(1, { abort: true }).regex(/\S/, 'must not be blank');
}

/** Formats a share of 0 to 1 in percent, with at most one decimal. */
export function percentText(share: number): string {
  return `${Math.round(share * 1_000) / 10} %`;
}
