import { z } from 'zod';
import { LIMITS } from './limits.ts';

/** Media type of a body with one JSON value per line. */
export const NDJSON = 'application/x-ndjson';

/** Media type of a Parquet file. */
export const PARQUET = 'application/vnd.apache.parquet';

/** A number in a query string. */
export function countQuery(max: number = LIMITS.listLimit, preset = 100) {
  return z
    .string()
    .regex(/^[0-9]{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(max))
    .default(preset)
    .meta({ type: 'integer', minimum: 1, maximum: max, default: preset, pattern: undefined, examples: [10] });
}

/** A number in a query string, in JSON notation, with the limits and default of a schema. */
export function numberQuery<T>(limits: z.ZodType<T, number>) {
  return z
    .string()
    .regex(/^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$/, 'must be a number')
    .transform(Number)
    .pipe(limits);
}

/** `true` or `false` in a query string; the name alone means true. */
export const flagQuery = z
  .enum(['true', 'false', ''], 'must be true or false')
  .transform((text) => text !== 'false')
  .meta({ type: 'boolean' });
