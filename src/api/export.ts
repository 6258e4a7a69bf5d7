import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { invalidField } from '../contract/errors.ts';
import { exportedObjectSchema, exportQuerySchema } from '../contract/export.ts';
import { NDJSON } from '../contract/http.ts';
import type { Payload } from '../contract/objects.ts';
import { textOf } from '../pipeline/text-of.ts';
import type { Db } from '../store/database.ts';
import { exportObjects, type ObjectToExport } from '../store/export.ts';
import type { IndexRow } from '../store/schema.ts';
import { countStreamed, roomForAnswer } from './body/memory.ts';
import { createRouter } from './create-router.ts';
import { ndjsonStream, primed } from './ndjson.ts';
import { type ApiLog, problemResponses } from './problems.ts';
import { INDEX_OR_ALIAS, onIndex } from './with-index.ts';

const exportRoute = createRoute({
  method: 'get',
  path: '/{index}/export',
  operationId: 'exportIndex',
  tags: ['objects'],
  summary: 'All objects with their vectors, as one stream',
  description:
    'Each object is one version with the vectors of that version, in the order of the ids. An object that is not written meanwhile is in it exactly once; of a write meanwhile, it has the state before or after it. `reembed import` reads it. A stream that breaks off is continued with `after`.',
  request: { params: z.object({ index: INDEX_OR_ALIAS }), query: exportQuerySchema },
  responses: {
    200: { description: 'An object to a line.', content: { [NDJSON]: { schema: exportedObjectSchema } } },
    ...problemResponses('InvalidInput', 'IndexNotFound', 'IndexDeleting', 'DatabaseUnavailable'),
  },
});

export function createExportRouter({ db, log }: { db: Db; log: ApiLog }) {
  return createRouter().openapi(exportRoute, async (c) => {
    const { index: name } = c.req.valid('param');
    const { vectors: form, after = null } = c.req.valid('query');
    if (c.req.method !== 'HEAD') await roomForAnswer(c.req.raw.signal);
    const lines = await onIndex(db, name, async (index) => {
      if (after !== null) requireName(index, name);
      if (c.req.method === 'HEAD') return null;
      return primed(linesOf(index, exportObjects(db, index, { after, form, onPage: countStreamed })));
    });
    if (lines === null) return c.body(null, 200, { 'content-type': NDJSON }) as never;
    const onBroken = (error: unknown) => {
      log.warn({ requestId: c.get('requestId'), index: name, err: error }, 'an export broke off');
      // Cut off now: otherwise the server would write the error after the objects as if it were one of them.
      c.env?.outgoing?.destroy();
    };
    return c.body(
      ndjsonStream(lines, onBroken, (line) => line),
      200,
      { 'content-type': NDJSON },
    ) as never;
  });
}

/** An export that continues must not end with the vectors of another index. */
function requireName(index: IndexRow, name: string): void {
  if (index.name === name) return;
  throw invalidField(
    'query.after',
    `needs the name of the index: ${name} is an alias, which points to ${index.name} now`,
  );
}

async function* linesOf({ splitter }: IndexRow, objects: AsyncGenerator<ObjectToExport>): AsyncGenerator<string> {
  for await (const { object, parts } of objects) {
    const text = parts.length === 0 ? '' : textOf(object.payload as Payload, splitter.fields);
    const written = parts.map(({ start, end, vectorJson }) => {
      const own = { start, end, text: start === null || end === null ? null : text.slice(start, end) };
      // The vector is JSON already, with as few digits as single precision needs.
      return `${JSON.stringify(own).slice(0, -1)},"vector":${vectorJson}}`;
    });
    yield `${JSON.stringify(object).slice(0, -1)},"parts":[${written.join()}]}`;
  }
}
