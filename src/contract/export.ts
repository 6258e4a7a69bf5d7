import { z } from 'zod';
import { objectIdSchema, objectSchema } from './objects.ts';
import type { SentVector } from './ready-parts.ts';

export const EXPORT_FORMATS = ['ndjson', 'parquet'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const exportQuerySchema = z
  .strictObject({
    format: z
      .enum(EXPORT_FORMATS)
      .default('ndjson')
      .describe(
        '`ndjson`: one object per line, in the order of their ids. `parquet`: a Parquet file with an object per row, which is of no use if the stream breaks off.',
      ),
    vectors: z
      .enum(['numbers', 'base64'])
      .optional()
      .meta({ examples: ['base64'] })
      .describe(
        'With `ndjson`: vectors as arrays of numbers, or as base64 of little-endian float32, which is half as long. Default: `numbers`.',
      ),
    after: objectIdSchema
      .optional()
      .describe(
        'Id of the last object of an export that broke off: only objects after it. Needs the name of the index, since an alias may point to another one by now, and its `indexCreateTime`.',
      ),
    indexCreateTime: z.iso
      .datetime()
      .optional()
      .describe(
        'With `after`: the `indexCreateTime` of the objects that are there. Another index of the same name is refused.',
      )
      .meta({ examples: ['2026-01-31T12:00:00.123456Z'] }),
  })
  .refine(({ after, indexCreateTime }) => (after === undefined) === (indexCreateTime === undefined), {
    path: ['indexCreateTime'],
    message: 'goes with after: an export continues with the index that it began with',
  })
  .refine(({ format, vectors }) => format === 'ndjson' || vectors === undefined, {
    path: ['vectors'],
    message: 'only with format=ndjson: a Parquet file has them in single precision',
  });

const exportedPartSchema = z
  .object({
    start: z.int().nullable().describe('Where the part begins in the text of the payload, in UTF-16 code units.'),
    end: z.int().nullable(),
    text: z.string().nullable(),
    vector: z
      .custom<SentVector>((value) => typeof value === 'string' || Array.isArray(value))
      .meta({ type: ['array', 'string'] as never, items: { type: 'number' } }),
  })
  // The document would call a field of a custom type optional.
  .meta({ required: ['start', 'end', 'text', 'vector'] });

/** An object with its vectors, without those of averages. */
export const exportedObjectSchema = objectSchema
  .extend({
    parts: z.array(exportedPartSchema).describe('In order, without the average; empty for a failed object.'),
    indexCreateTime: z.iso
      .datetime()
      .optional()
      .describe('When its index was created, which tells indexes of one name apart. Only in lines.'),
  })
  .meta({ id: 'ExportedObject' });
export type ExportedObject = z.output<typeof exportedObjectSchema>;
