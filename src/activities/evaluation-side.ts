import type { Embedder } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { EvaluationRequest } from '../contract/evaluation.ts';
import type { Vector } from '../contract/vectors.ts';
import { EmbedSession } from '../pipeline/embed.ts';
import type { EvaluationQuery, FoundOnSide } from '../store/evaluations.ts';
import type { IndexRow } from '../store/schema.ts';
import { createSearchBothWays, type SearchBothWays } from '../store/search-both-ways.ts';
import type { ActivityDependencies } from './dependencies.ts';
import type { Running } from './support/heartbeat.ts';
import { metered } from './support/meter.ts';
import { createPatience, pauseWithin } from './support/patience.ts';
import { waitsOf, watched } from './support/waits.ts';
import { mustYield } from './support/yield-to-live-traffic.ts';

/** The vectors of queries by id, or why a query has none. */
export type Vectors = ReadonlyMap<string, Vector | 'unknown-words' | 'rejected'>;

/** `parallel: false` leaves room for live work. */
export type HowToSearch = Pick<Parameters<SearchBothWays>[0], 'parallel' | 'inPieces'>;

export interface Side {
  /** Embeds queries with the model of the index. */
  embed(queries: readonly EvaluationQuery[]): Promise<Vectors>;
  /** Searches the index; returns what each query found. */
  search(queries: readonly EvaluationQuery[], vectors: Vectors, how: HowToSearch): Promise<FoundOnSide[]>;
}

interface SideRequest {
  index: IndexRow;
  request: EvaluationRequest;
  running: Running<unknown>;
  /** The reindex that pays for the calls of the model; null for none. */
  payer: string | null;
}

/** Creates one side of an evaluation. Embedding throws `BudgetUsedUp` once the budget of its payer is used up. */
export function createSide(deps: ActivityDependencies, { index, request, running, payer }: SideRequest): Side {
  const { models, settings, background } = deps;
  const { signal } = running;
  const waits = waitsOf(deps.client);
  const asked = watched(models.embedder(index.model), waits);
  const embedder = payer === null ? asked : metered(asked, deps, payer, index.model);
  const searchBothWays = createSearchBothWays(background, index, { limit: request.k, efSearch: request.efSearch });
  return {
    async embed(queries) {
      const vectors = new Map<string, Vector | 'unknown-words' | 'rejected'>();
      const known = await knownOf(embedder, queries);
      for (const { id } of queries) if (!known.has(id)) vectors.set(id, 'unknown-words');
      const objects = queries.filter(({ id }) => known.has(id)).map(({ id, text }) => ({ id, parts: [{ text }] }));
      const patience = createPatience(signal, waits, { patienceMs: settings.modelPatienceMs, embedder });
      const session = new EmbedSession(objects, embedder, {
        purpose: 'query',
        concurrency: (await mustYield(deps)) ? 1 : undefined,
        metric: index.metric,
        signal,
        pause: pauseWithin(settings.modelPatienceMs),
      });
      for (;;) {
        const stoppedBy = await session.run();
        const results = session.take();
        for (const result of results) {
          // A text that the model takes only in pieces is refused by a search too.
          const isWhole = 'vectors' in result && result.vectors.length === 1 && result.vectors[0] !== undefined;
          vectors.set(result.id, isWhole ? (result.vectors[0] as Vector) : 'rejected');
        }
        if (stoppedBy === null) return vectors;
        await patience(stoppedBy, results.length > 0);
      }
    },

    async search(queries, vectors, how) {
      const embedded = queries.flatMap(({ id }) => {
        const vector = vectors.get(id);
        return vector === undefined || typeof vector === 'string' ? [] : [{ id, vector }];
      });
      const results = await searchBothWays({
        vectors: embedded.map(({ vector }) => vector),
        ...how,
      }).catch(asDeleted);
      const found = new Map(embedded.map(({ id }, at) => [id, results[at]]));
      return queries.map(({ id }) => {
        const vector = vectors.get(id);
        return found.get(id) ?? { notEmbedded: vector === 'unknown-words' ? vector : 'rejected' };
      });
    },
  };
}

async function knownOf(embedder: Embedder, queries: readonly EvaluationQuery[]): Promise<Set<string>> {
  const known = await embedder.knows?.(queries.map(({ text }) => text));
  return new Set(queries.filter((_, at) => known?.[at] !== false).map(({ id }) => id));
}

/** An index that existed when the evaluation began, and whose tables are gone, was deleted meanwhile. */
function asDeleted(error: unknown): never {
  if (!(error instanceof ReembedError) || error.type !== 'IndexNotFound') throw error;
  throw new ReembedError('IndexDeleted', error.message, { cause: error });
}
