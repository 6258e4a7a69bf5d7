import { endianness } from 'node:os';
import type { Vector } from '../contract/vectors.ts';

type Fetch = typeof globalThis.fetch;

/** As the AI SDK writes it: within a text each quote has a backslash before it, so this is found nowhere else. */
const AS_NUMBERS = ',"encoding_format":"float"';
const AS_BYTES = ',"encoding_format":"base64"';

/** Answers that say the request, as it was, is not understood. */
const NOT_UNDERSTOOD: readonly number[] = [400, 415, 422];

/** For one request: the `fetch` to make it with, and the vectors of its answer if they could be read. */
export type VectorFetch = () => { fetch: Fetch; vectors(): Vector[] | undefined };

/**
 * Makes, for each request to one endpoint, a `fetch` that reads the vectors of its answer itself and hands the AI SDK an
 * empty one. The SDK checks each number of each vector with a schema: measured with 384 dimensions, that takes longer
 * than the request, the JSON and all else together, and `checkVectors` looks at each number anyway. The SDK also keeps
 * the order of the answer, where OpenAI's format has an `index` for each vector. Whatever does not look like an answer
 * goes to the SDK as it came.
 *
 * Vectors are asked for as base64 of little-endian single-precision numbers, as OpenAI's own clients do: a quarter of
 * the bytes, and none to parse. An endpoint that does not know this answers with numbers, or refuses: as long as it has
 * never answered so, a refused request is made again with numbers, and if that is answered, so are all that follow.
 */
export function createVectorFetch(fetch: Fetch): VectorFetch {
  let encoding: 'unknown' | 'bytes' | 'numbers' = 'unknown';

  async function ask(input: Parameters<Fetch>[0], init: RequestInit | undefined): Promise<Response> {
    const body = init?.body;
    if (encoding === 'numbers' || typeof body !== 'string') return fetch(input, init);
    const response = await fetch(input, { ...init, body: body.replace(AS_NUMBERS, AS_BYTES) });
    if (response.ok) {
      encoding = 'bytes';
      return response;
    }
    if (encoding === 'bytes' || !NOT_UNDERSTOOD.includes(response.status)) return response;
    const again = await fetch(input, init);
    if (again.ok) encoding = 'numbers';
    await (again.ok ? response : again).body?.cancel();
    return again.ok ? again : response;
  }

  return () => {
    let vectors: Vector[] | undefined;
    return {
      vectors: () => vectors,
      async fetch(input, init) {
        const response = await ask(input, init);
        if (!response.ok) return response;
        const body = await response.text();
        vectors = readVectors(body);
        const { status, headers } = response;
        return new Response(vectors === undefined ? body : '{"data":[]}', {
          status,
          headers: { 'content-type': headers.get('content-type') ?? 'application/json' },
        });
      },
    };
  };
}

/** Each vector at the place its `index` names; in the order of the answer where indexes are missing or repeated. */
export function readVectors(body: string): Vector[] | undefined {
  const items = parse(body)?.data;
  if (!Array.isArray(items)) return undefined;
  const embeddings: unknown[] = items.map((item) => item?.embedding);
  const vectors = embeddings.every((one) => typeof one === 'string') ? fromBase64(embeddings) : embeddings;
  if (!vectors?.every(isVector)) return undefined;
  const places = new Set(items.map((item) => item.index).filter((at) => Number.isInteger(at) && at in items));
  if (places.size < items.length) return vectors;
  const placed: Vector[] = [];
  for (const [at, vector] of vectors.entries()) placed[items[at].index] = vector;
  return placed;
}

/** All in one piece of memory: many small ones cost more than what is in them. */
function fromBase64(texts: readonly string[]): Float32Array[] | undefined {
  const lengths = texts.map((text) => Buffer.byteLength(text, 'base64'));
  if (lengths.some((length) => length % 4 !== 0)) return undefined;
  const bytes = Buffer.from(new ArrayBuffer(lengths.reduce((sum, length) => sum + length, 0)));
  let at = 0;
  const vectors = texts.map((text, place) => {
    const start = at;
    at += lengths[place] as number;
    bytes.write(text, start, 'base64');
    return new Float32Array(bytes.buffer, start, (at - start) / 4);
  });
  if (endianness() === 'BE') bytes.swap32();
  return vectors;
}

function isVector(value: unknown): value is Vector {
  return Array.isArray(value) || value instanceof Float32Array;
}

function parse(body: string) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
