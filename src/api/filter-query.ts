import { z } from 'zod';
import { filterSchema } from '../contract/filters.ts';
import { JsonTextError } from '../contract/json-text/error.ts';
import { parseJsonText } from '../contract/json-text/parse.ts';

/** Servers accept 16 KB of address and headers. */
const MAX_CHARS = 8_000;

/** A filter as JSON in a query string. */
export const filterQuery = z
  .string()
  .max(MAX_CHARS)
  .transform((text, ctx) => {
    try {
      return parseJsonText(text) as unknown;
    } catch (error) {
      if (!(error instanceof JsonTextError)) throw error;
      ctx.addIssue({ code: 'custom', path: [...error.path], message: `must be a filter in JSON: ${error.message}` });
      return z.NEVER;
    }
  })
  .pipe(filterSchema)
  .meta({ type: 'string', examples: ['{"lang":"en"}'] });
