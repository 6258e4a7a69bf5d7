import { canonicalPieces } from '../../contract/canonical-json.ts';
import { type ErrorType, type FieldIssue, ReembedError } from '../../contract/errors.ts';
import { joinBytes } from '../../contract/json-text/lines.ts';
import type { Deletion, Item } from '../../contract/objects.ts';
import { readyDimensions } from '../../contract/ready-parts.ts';
import { Pace } from '../../cpu/pace.ts';
import { shaInTurns } from '../../cpu/sha.ts';
import { lowerThreadPriority } from '../../cpu/thread-priority.ts';
import { moving } from '../../cpu/worker-pool.ts';
import { parseItemLine, parseItemsBody, type WriteType } from './parse-items.ts';

export const SHA_BYTES = 32;

/** The pieces of a body, or of its line with this number. */
export interface ItemsRequest {
  type: WriteType;
  pieces: Uint8Array[];
  line: number | null;
}

/** Items with what is needed of them without parsing them again. */
export interface ItemsParsed {
  /** The body without its items. */
  options: Record<string, unknown>;
  ids: string[];
  versions: (number | undefined)[];
  /** Of their ready vectors. */
  dimensions: (number | undefined)[];
  /** The JSON of all items, and where each ends. */
  json: Uint8Array;
  ends: number[];
  /** The hashes of all items, one after the other. */
  shas: Uint8Array;
}

/** An error loses its class on the way to another thread. */
export interface ItemsRefused {
  error: { type: ErrorType; message: string; issues: FieldIssue[] };
}

/** Runs in a thread, so that large bodies do not block the event loop. */
export default async function itemsInThread(request: ItemsRequest): Promise<ItemsParsed | ItemsRefused> {
  lowerThreadPriority();
  try {
    const parsed = await parse(request);
    return moving(parsed, [parsed.json.buffer as ArrayBuffer]);
  } catch (error) {
    if (!(error instanceof ReembedError)) throw error;
    const { type, message, issues } = error;
    return { error: { type, message, issues } };
  }
}

async function parse({ type, pieces, line }: ItemsRequest): Promise<ItemsParsed> {
  const bytes = joinBytes(pieces);
  if (line !== null) return encode([parseItemLine({ number: line, bytes }, type)], {});
  const body = parseItemsBody(bytes, type);
  if ('items' in body) {
    const { items, ...options } = body;
    return encode(items, options);
  }
  const { ids, ...options } = body;
  return encode(ids, options);
}

/** Returns bytes whose buffer holds nothing else, so that it can be moved to another thread. */
export function ownBuffer(bytes: Uint8Array): Uint8Array {
  return bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

async function encode(items: readonly (Item | Deletion)[], options: Record<string, unknown>): Promise<ItemsParsed> {
  const pace = new Pace();
  const texts: Uint8Array[] = [];
  const shas: Uint8Array[] = [];
  const ends: number[] = [];
  for (const item of items) {
    texts.push(Buffer.from(JSON.stringify(item)));
    shas.push(await shaInTurns(canonicalPieces(item), pace));
    ends.push((ends.at(-1) ?? 0) + (texts.at(-1)?.length ?? 0));
  }
  // The buffer is moved, so that nothing else may be in it.
  const json = ownBuffer(joinBytes(texts));
  return {
    options,
    ids: items.map(({ id }) => id),
    versions: items.map(({ version }) => version),
    dimensions: items.map(readyDimensions),
    json,
    ends,
    shas: joinBytes(shas),
  };
}
