import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import { LIMITS } from '../contract/limits.ts';
import type { Search, SearchResult } from '../contract/objects.ts';
import type { Problem } from '../contract/problem.ts';
import { CANARY_SIDES } from '../contract/read-shares.ts';
import { resolveWithReads } from '../store/protocol/reads.ts';
import { embedTogether } from './embed-together.ts';
import { problemOf } from './problems.ts';
import type { SideReads } from './reads/side-reads.ts';
import type { SearchSampler } from './sampling/sampler.ts';
import { withinTime } from './search-limit.ts';
import { onResolved } from './with-index.ts';
import { searchAfter, type WriteTokens } from './write-token.ts';

export interface SearchTogether extends WriteTokens {
  reads: SideReads;
  sampler: SearchSampler;
  /** Time limit of a search that sets none, in seconds; default: 10. */
  searchSeconds?: number | undefined;
}

export const SEARCH_SECONDS = 10;

interface SearchesOptions {
  /** Decides about canaries. */
  key: string | undefined;
  signal: AbortSignal;
  /** Returns what searches the database of a name; default: all are in the same one. */
  tokensOf?: (name: string) => Promise<SearchTogether>;
}

/** Searches of one call that use the database at the same time. */
const AT_ONCE = 4;

/** What a search of several ended with. */
export type Outcome = { result: SearchResult } | { problem: Problem };

/**
 * Runs several searches, each with its own time limit, which begins now. Their texts are embedded together, and a canary
 * without a key gets all of them or none. The results share the byte limit of one. Returns an outcome for each.
 */
export async function searchTogether(
  tokens: SearchTogether,
  searches: readonly { name: string; request: Search }[],
  { key = randomUUID(), signal, tokensOf = async () => tokens }: SearchesOptions,
): Promise<Outcome[]> {
  const { searchSeconds = SEARCH_SECONDS } = tokens;
  const secondsOf = ({ timeoutSeconds }: Search) => timeoutSeconds ?? searchSeconds;
  const maxMs = 1_000 * Math.max(...searches.map(({ request }) => secondsOf(request)));
  const texts = searches.flatMap(({ request }) => (request.mode === 'text' ? [] : (request.text ?? [])));
  const shared = {
    models: embedTogether(tokens.reads.models, texts, AbortSignal.any([signal, AbortSignal.timeout(maxMs)])),
    bytes: Math.floor(LIMITS.answerBytes / searches.length),
  };
  const turns = pLimit(AT_ONCE);
  const run = async ({ name, request }: { name: string; request: Search }): Promise<Outcome> => {
    try {
      const own = await tokensOf(name);
      const { db, reads, sampler } = own;
      const { result, sampled } = await withinTime({ seconds: secondsOf(request), signal }, (limit) =>
        // Outside of the turns: a search that waits for its write holds up no other.
        searchAfter(own, name, request.after, limit).then(() =>
          turns(() => {
            signal.throwIfAborted();
            const side = request.after === undefined ? key : CANARY_SIDES.serving;
            return onResolved(
              () => resolveWithReads(db, name),
              async (found) => ({
                result: await reads.search(found, request, { key: side, limit, ...shared }),
                sampled: found.sampled,
              }),
            );
          }),
        ),
      );
      sampler.offer(sampled, { alias: name, request, result });
      return { result };
    } catch (error) {
      signal.throwIfAborted();
      return { problem: problemOf(error).body };
    }
  };
  return Promise.all(searches.map(run));
}
