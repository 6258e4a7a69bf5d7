import { z } from 'zod';
import { aliasSchema, indexConfigSchema, indexInfoSchema, nameSchema } from './indexes.ts';
import { LIMITS } from './limits.ts';
import { objectSchema, searchResultSchema, searchSchema } from './objects.ts';

/** The contract's schemas under the names they have in the OpenAPI document, and those of answers that hold several. */

export const indexConfigBody = indexConfigSchema.meta({ id: 'IndexConfig' });
export const indexBody = indexInfoSchema.meta({ id: 'Index' });
export const indexListBody = z.object({ indexes: z.array(indexBody) }).meta({ id: 'IndexList' });

export const aliasBody = aliasSchema.meta({ id: 'Alias' });
export const aliasListBody = z.object({ aliases: z.array(aliasBody) }).meta({ id: 'AliasList' });
/** What an alias is pointed to. */
export const aliasTargetBody = z.strictObject({ index: nameSchema }).meta({ id: 'AliasTarget' });

export const searchBody = searchSchema.meta({ id: 'Search' });
export const searchResultBody = searchResultSchema.meta({ id: 'SearchResult' });

export const objectBody = objectSchema.meta({ id: 'Object' });
export const objectPageBody = z
  .object({
    objects: z.array(objectBody),
    /** Of the next page; null after the last one. */
    cursor: z.string().nullable(),
  })
  .meta({ id: 'ObjectPage' });
export type ObjectPage = z.output<typeof objectPageBody>;

/** Media type of a body with one JSON value to a line. */
export const NDJSON = 'application/x-ndjson';

/** A number in a query string. */
export function countQuery(most: number = LIMITS.listLimit, preset = 100) {
  return z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(most))
    .default(preset)
    .meta({ type: 'integer', minimum: 1, maximum: most, default: preset });
}

/** `true` or `false` in a query string; the name alone means true. */
export const flagQuery = z
  .enum(['true', 'false', ''], 'must be true or false')
  .transform((text) => text !== 'false')
  .meta({ type: 'boolean' });
