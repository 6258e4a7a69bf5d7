type Fetch = typeof globalThis.fetch;

/**
 * A `fetch` that reads the vectors of an answer itself and hands the AI SDK an empty one. The SDK checks each number of
 * each vector with a schema: measured with 384 dimensions, that takes longer than the request, the JSON and all else
 * together, and `checkVectors` looks at each number anyway. The SDK also keeps the order of the answer, where OpenAI's
 * format has an `index` for each vector. Whatever does not look like an answer goes to the SDK as it came.
 */
export function interceptVectors(fetch: Fetch): { fetch: Fetch; vectors(): number[][] | undefined } {
  let vectors: number[][] | undefined;
  return {
    vectors: () => vectors,
    async fetch(input, init) {
      const response = await fetch(input, init);
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
}

/** Each vector at the place its `index` names; in the order of the answer where indexes are missing or repeated. */
export function readVectors(body: string): number[][] | undefined {
  const items = parse(body)?.data;
  if (!Array.isArray(items) || !items.every((item) => Array.isArray(item?.embedding))) return undefined;
  const places = new Set(
    items.map((item) => item.index).filter((at) => Number.isInteger(at) && items[at] !== undefined),
  );
  const vectors = items.map((item) => item.embedding);
  if (places.size === items.length) for (const item of items) vectors[item.index] = item.embedding;
  return vectors;
}

function parse(body: string) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
