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
  const vectors: Vector[] = [];
  for (const item of items) {
    const vector = vectorOf(item?.embedding);
    if (vector === undefined) return undefined;
    vectors.push(vector);
  }
  const places = new Set(items.map((item) => item.index).filter((at) => Number.isInteger(at) && at in items));
  if (places.size < items.length) return vectors;
  const placed: Vector[] = [];
  for (const [at, vector] of vectors.entries()) placed[items[at].index] = vector;
  return placed;
}

function vectorOf(embedding: unknown): Vector | undefined {
  if (Array.isArray(embedding)) return embedding;
  return typeof embedding === 'string' ? fromBase64(embedding) : undefined;
}

function fromBase64(text: string): Vector | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length % 4 !== 0) return undefined;
  if (endianness() === 'BE') bytes.swap32();
  // A copy of its own: small buffers are parts of a shared one, at places that are no multiple of 4.
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

function parse(body: string) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
