import {
  type SampledSearch,
  type SampledSearchPage,
  type Sampling,
  type SamplingRequest,
  sampledSearchPageSchema,
  samplingSchema,
} from '../contract/sampling.ts';
import { readAs, type Send, segment } from './request.ts';

/** Calls about the sampled searches of aliases. */
export function samplingCalls(send: Send) {
  const pathOf = (alias: string) => `/v1/aliases/${segment(alias)}`;
  return {
    /**
     * Keeps a share of the searches by text that an alias answers, such as 0.01, for `keep` (default: `7d`). Errors:
     * `AliasNotFound`, `InvalidInput`.
     */
    async set(alias: string, request: SamplingRequest): Promise<Sampling> {
      return readAs(await send('PUT', `${pathOf(alias)}/sampling`, { json: request }), samplingSchema);
    },
    /** Returns which share is kept, and how many searches there are. Error: `AliasNotFound`. */
    async get(alias: string): Promise<Sampling> {
      return readAs(await send('GET', `${pathOf(alias)}/sampling`), samplingSchema);
    },
    /** Keeps no further searches, and deletes those that are kept. Error: `AliasNotFound`. */
    async end(alias: string): Promise<void> {
      await send('DELETE', `${pathOf(alias)}/sampling`);
    },
    /** Yields the sampled searches, newest first, reading pages on demand. Error: `AliasNotFound`. */
    async *searches(alias: string, { limit = 100 }: { limit?: number } = {}): AsyncGenerator<SampledSearch> {
      let cursor: string | null = null;
      do {
        const query: Record<string, string | number | null> = { cursor, limit };
        const response = await send('GET', `${pathOf(alias)}/sampled-searches`, { query });
        const page: SampledSearchPage = await readAs(response, sampledSearchPageSchema);
        yield* page.searches;
        cursor = page.cursor;
      } while (cursor !== null);
    },
  };
}
