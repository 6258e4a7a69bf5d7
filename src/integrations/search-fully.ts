import type { ReembedClient, SearchInput } from '../client/client.ts';
import { ReembedError } from '../contract/errors.ts';
import type { Hit, SearchResult } from '../contract/objects.ts';

export interface FullSearchOptions {
  timeoutSeconds?: number;
  /** Return what was found until the timeout; default: throw `SearchTimeout`. */
  allowIncomplete?: boolean;
  canary?: string;
}

/**
 * Searches, and reads the payloads and metadata that were left out of a large response. A hit that was deleted in
 * between is dropped. Errors: those of a search; `SearchTimeout` also if there are fewer hits because of the timeout.
 */
export async function searchFully(
  client: ReembedClient,
  index: string,
  search: SearchInput,
  { timeoutSeconds, allowIncomplete = false, canary }: FullSearchOptions = {},
): Promise<SearchResult> {
  const found = await client.search(index, { timeoutSeconds, ...search }, { canary });
  if (!found.complete && !allowIncomplete) {
    throw new ReembedError(
      'SearchTimeout',
      `the search of ${index} found ${found.hits.length} objects before its timeout; more may match`,
    );
  }
  const hits: Hit[] = [];
  for (const hit of found.hits) {
    const full = hit.omitted ? await completed(client, found.index, hit) : hit;
    if (full) hits.push(full);
  }
  return { ...found, hits };
}

async function completed(client: ReembedClient, index: string, hit: Hit): Promise<Hit | undefined> {
  try {
    const { payload, metadata } = await client.objects.get(index, hit.id);
    const { omitted, ...rest } = hit;
    return { ...rest, payload, metadata };
  } catch (error) {
    if (error instanceof ReembedError && error.type === 'ObjectNotFound') return undefined;
    throw error;
  }
}
