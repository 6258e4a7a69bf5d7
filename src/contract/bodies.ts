import { z } from 'zod';
import { aliasSchema, indexConfigSchema, indexInfoSchema, nameSchema } from './indexes.ts';
import { LIMITS } from './limits.ts';
import { objectSchema, searchResultSchema, searchSchema } from './objects.ts';
import { steerSchema } from './steer-tasks.ts';
import { deleteIndexSchema, deleteSchema, reindexSchema, upsertSchema } from './tasks.ts';

/** The contract's schemas under the names they have in the OpenAPI document, and those of answers that hold several. */

export const indexConfigBody = indexConfigSchema.meta({
  id: 'IndexConfig',
  description: 'All that is fixed when an index is created.',
  examples: [{ model: { provider: 'hash', dimensions: 256 }, metric: 'cosine' }],
});
export const indexBody = indexInfoSchema.meta({ id: 'Index' });
export const indexListBody = z.object({ indexes: z.array(indexBody) }).meta({ id: 'IndexList' });

export const aliasBody = aliasSchema.meta({ id: 'Alias' });
export const aliasListBody = z.object({ aliases: z.array(aliasBody) }).meta({ id: 'AliasList' });
/** What an alias is pointed to. */
export const aliasTargetBody = z
  .strictObject({
    index: nameSchema.describe('Name of an index, not of an alias.'),
    force: z.boolean().default(false).describe('Move it although the index lacks some of what the alias serves now.'),
  })
  .meta({ id: 'AliasTarget', examples: [{ index: 'docs-v1' }] });

export const searchBody = searchSchema.meta({
  id: 'Search',
  examples: [{ text: 'big cat', limit: 5, filter: { lang: 'en' } }],
});
export const searchResultBody = searchResultSchema.meta({ id: 'SearchResult' });

export const objectBody = objectSchema.meta({ id: 'Object' });
export const objectPageBody = z
  .object({
    objects: z.array(objectBody),
    cursor: z.string().nullable().describe('Of the next page; null after the last one.'),
  })
  .meta({ id: 'ObjectPage' });
export type ObjectPage = z.output<typeof objectPageBody>;

export const upsertBody = upsertSchema.meta({
  id: 'Upsert',
  examples: [{ index: 'docs', items: [{ id: 'a', payload: 'a lion sleeps', metadata: { lang: 'en' } }] }],
});
export const deleteBody = deleteSchema.meta({ id: 'Delete', examples: [{ index: 'docs', ids: ['a', 'b'] }] });
export const reindexBody = reindexSchema.meta({
  id: 'Reindex',
  examples: [{ taskId: 'rebuild-1', source: 'docs', dest: 'docs-v2', destModel: { provider: 'words' } }],
});
export const deleteIndexBody = deleteIndexSchema.meta({
  id: 'DeleteIndex',
  examples: [{ index: 'docs-v1', after: '24h' }],
});

export const steerBody = steerSchema.meta({
  id: 'Steer',
  examples: [{ action: 'restart', filter: { types: ['upsert'], statuses: ['failed', 'exhausted'] }, force: true }],
});

/** Media type of a body with one JSON value to a line. */
export const NDJSON = 'application/x-ndjson';

/** A number in a query string. */
export function countQuery(most: number = LIMITS.listLimit, preset = 100) {
  return z
    .string()
    .regex(/^[0-9]{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(most))
    .default(preset)
    .meta({ type: 'integer', minimum: 1, maximum: most, default: preset, pattern: undefined, examples: [10] });
}

/** A number in a query string, as JSON writes it, with the limits and the preset of a schema. */
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
