import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { invalidField } from '../contract/errors.ts';
import { type ExportedObject, exportedObjectSchema, exportQuerySchema } from '../contract/export.ts';
import { NDJSON, PARQUET } from '../contract/http.ts';
import type { Payload, StoredObject } from '../contract/objects.ts';
import { GROUP_BYTES, writeParquet } from '../parquet/write.ts';
import { textOf } from '../pipeline/text-of.ts';
import type { Db } from '../store/database.ts';
import { type ExportedPart, exportObjects, type ObjectToExport } from '../store/export.ts';
import type { IndexRow } from '../store/schema.ts';
import { countStreamed, roomForAnswer } from './body/memory.ts';
import { createRouter } from './create-router.ts';
import { byteStream, ndjsonChunks, primed } from './ndjson.ts';
import { type ApiLog, problemResponses } from './problems.ts';
import { INDEX_OR_ALIAS, onIndex } from './with-index.ts';

const exportRoute = createRoute({
  method: 'get',
  path: '/{index}/export',
  operationId: 'exportIndex',
  tags: ['objects'],
  summary: 'All objects with their vectors, as one stream',
  description:
    'Each object is one version with the vectors of that version, in the order of the ids. An object that is not written meanwhile is in it exactly once; of a write meanwhile, it has the state before or after it. `reembed import` reads it. A stream that breaks off is continued with `after` and `indexCreateTime`.',
  request: { params: z.object({ index: INDEX_OR_ALIAS }), query: exportQuerySchema },
  responses: {
    200: {
      description: 'An object to a line, or to a row.',
      content: {
        [NDJSON]: { schema: exportedObjectSchema },
        [PARQUET]: { schema: z.string().meta({ format: 'binary' }) },
      },
    },
    ...problemResponses('InvalidInput', 'IndexNotFound', 'IndexDeleting', 'DatabaseUnavailable'),
  },
});

export function createExportRouter({ db, log }: { db: Db; log: ApiLog }) {
  return createRouter().openapi(exportRoute, async (c) => {
    const { index: name } = c.req.valid('param');
    const { format, vectors, after = null, indexCreateTime } = c.req.valid('query');
    const isParquet = format === 'parquet';
    const headers = { 'content-type': isParquet ? PARQUET : NDJSON };
    if (c.req.method !== 'HEAD') await roomForAnswer(c.req.raw.signal);
    const chunks = await onIndex(db, name, async (index) => {
      if (after !== null) requireSame(index, name, indexCreateTime);
      if (c.req.method === 'HEAD') return null;
      const form = isParquet ? 'base64' : (vectors ?? 'numbers');
      const objects = await primed(exportObjects(db, index, { after, form, onPage: countStreamed }));
      return isParquet ? parquetOf(index, objects) : ndjsonChunks(linesOf(index, objects), (line) => line);
    });
    if (chunks === null) return c.body(null, 200, headers) as never;
    const onBroken = (error: unknown) => {
      log.warn({ requestId: c.get('requestId'), index: name, err: error }, 'an export broke off');
      // Cut off now: otherwise the server would write the error after the objects as if it were one of them.
      c.env?.outgoing?.destroy();
    };
    return c.body(byteStream(chunks, onBroken), 200, headers) as never;
  });
}

/** An export that continues must not end with the vectors of another index. */
function requireSame(index: IndexRow, name: string, indexCreateTime: string | undefined): void {
  if (index.name !== name) {
    throw invalidField(
      'query.after',
      `needs the name of the index: ${name} is an alias, which points to ${index.name} now`,
    );
  }
  const created = index.createTime.toISOString();
  if (created === indexCreateTime) return;
  throw invalidField(
    'query.indexCreateTime',
    `is not that of the index ${name}, which was created at ${created}: begin the export again`,
  );
}

async function* linesOf(index: IndexRow, objects: AsyncGenerator<ObjectToExport>): AsyncGenerator<string> {
  const created = JSON.stringify(index.createTime);
  for await (const { object, parts } of objects) {
    const written = placed(index, object, parts).map(
      // The vector is JSON already, with as few digits as single precision needs.
      ({ vectorJson, ...own }) => `${JSON.stringify(own).slice(0, -1)},"vector":${vectorJson}}`,
    );
    yield `${JSON.stringify(object).slice(0, -1)},"indexCreateTime":${created},"parts":[${written.join()}]}`;
  }
}

async function* parquetOf(index: IndexRow, objects: AsyncGenerator<ObjectToExport>): AsyncGenerator<Uint8Array> {
  // A row group is held while it is filled, and its bytes until they are taken.
  const hold = countStreamed(2 * GROUP_BYTES);
  try {
    for await (const { bytes } of writeParquet(exported(index, objects), { index: index.name })) yield bytes;
  } finally {
    hold.release();
  }
}

async function* exported(index: IndexRow, objects: AsyncGenerator<ObjectToExport>): AsyncGenerator<ExportedObject> {
  for await (const { object, parts } of objects) {
    const own = placed(index, object, parts).map(({ vectorJson, ...part }) => ({
      ...part,
      vector: JSON.parse(vectorJson),
    }));
    yield { ...object, parts: own };
  }
}

/** Returns the parts of an object with their texts. */
function placed({ splitter }: IndexRow, { payload }: StoredObject, parts: readonly ExportedPart[]) {
  const text = parts.length === 0 ? '' : textOf(payload as Payload, splitter.fields);
  return parts.map(({ start, end, vectorJson }) => {
    return { start, end, text: start === null || end === null ? null : text.slice(start, end), vectorJson };
  });
}
