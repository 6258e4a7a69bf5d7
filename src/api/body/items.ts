import { availableParallelism } from 'node:os';
import type { Context } from 'hono';
import { ReembedError } from '../../contract/errors.ts';
import type { Line } from '../../contract/json-text/lines.ts';
import { LIMITS } from '../../contract/limits.ts';
import type { Deletion, Item } from '../../contract/objects.ts';
import type { DeleteBody, UpsertBody } from '../../contract/task-bodies.ts';
import { moduleBeside } from '../../cpu/module-beside.ts';
import { WorkerPool } from '../../cpu/worker-pool.ts';
import { EncodedItem } from '../../store/encoded-item.ts';
import { type ItemsParsed, type ItemsRefused, type ItemsRequest, ownBuffer, SHA_BYTES } from './items-thread.ts';
import { readPieces } from './json.ts';
import { parseItemLine, parseItemsBody } from './parse-items.ts';

/** Texts up to this size are parsed at once, which blocks the event loop for a few milliseconds; others in a thread. */
const ASIDE_BYTES = 256 * 1024;

const MAX_THREADS = 2;

/** The body of an upsert or a delete; the items of a large one are encoded already. */
export type WriteBody =
  | (Omit<UpsertBody, 'items'> & { items: readonly (Item | EncodedItem)[] })
  | (Omit<DeleteBody, 'ids'> & { ids: readonly (Deletion | EncodedItem)[] });

let pool: WorkerPool<ItemsRequest, ItemsParsed | ItemsRefused> | undefined;

/** Returns the one pool of the process, created on first use. */
function threads(): NonNullable<typeof pool> {
  pool ??= new WorkerPool(moduleBeside(import.meta.url, 'items-thread'), {
    max: Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1)),
  });
  return pool;
}

/** Reads the JSON body of an upsert or a delete. Errors: those of `readJsonBody`. */
export async function readItems(c: Context, type: 'upsert' | 'delete'): Promise<WriteBody> {
  const pieces = await readPieces(c, LIMITS.bodyBytes);
  const [first] = pieces;
  if (pieces.length < 2 && (first?.length ?? 0) <= ASIDE_BYTES) return parseItemsBody(first ?? new Uint8Array(), type);
  const { options, items } = await parseAside({ type, pieces, line: null }, c.req.raw.signal);
  return { ...options, [type === 'upsert' ? 'items' : 'ids']: items } as WriteBody;
}

/** Reads a line with one item. Error: `InvalidInput`. */
export async function readItemLine(
  { number, bytes }: Line,
  type: 'upsert' | 'delete',
): Promise<Item | Deletion | EncodedItem> {
  if (bytes.length <= ASIDE_BYTES) return parseItemLine({ number, bytes }, type);
  const { items } = await parseAside({ type, pieces: [bytes], line: number });
  return items[0] as EncodedItem;
}

async function parseAside(request: ItemsRequest, signal?: AbortSignal) {
  const pieces = request.pieces.map(ownBuffer);
  const buffers = pieces.map(({ buffer }) => buffer as ArrayBuffer);
  const answer = await threads().run({ ...request, pieces }, signal, buffers);
  if ('error' in answer) {
    const { type, message, issues } = answer.error;
    throw new ReembedError(type, message, { issues });
  }
  const { options, ids, versions, dimensions, json, ends, shas } = answer;
  const items = ids.map((id, at) => {
    const text = json.subarray(ends[at - 1] ?? 0, ends[at]);
    return new EncodedItem({
      id,
      version: versions[at],
      dimensions: dimensions[at],
      json: text,
      sha: shas.subarray(at * SHA_BYTES, (at + 1) * SHA_BYTES),
    });
  });
  return { options, items };
}
