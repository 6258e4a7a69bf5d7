import { z } from 'zod';
import { storageProblem } from './json.ts';

/** A text that Temporal and Postgres can keep: no NUL, no half surrogate pair. */
export function plainText(maxChars: number) {
  return z
    .string()
    .max(maxChars)
    .superRefine((text, ctx) => {
      const message = storageProblem(text);
      if (message) ctx.addIssue({ code: 'custom', message });
    });
}
