import type { Language } from '../../contract/full-text.ts';
import type { Vector } from '../../contract/vectors.ts';
import type { Db, Trx } from '../database.ts';
import { type FoundHit, type HowToRead, readHits } from '../hits.ts';
import { depthOf } from '../ranking.ts';
import type { IndexRow } from '../schema.ts';
import { type Found, findNeighbors, inSearch } from '../search.ts';
import { findByText } from './find.ts';
import { type Fused, fuse } from './fuse.ts';

export interface WordsRequest extends HowToRead {
  text: string;
  language: Language;
  limit: number;
  /** Hits to skip. */
  offset?: number | undefined;
  filter?: Record<string, unknown> | undefined;
  /** Null: by words alone. */
  vector: Vector | null;
  weights: { vector: number; text: number };
  /** As in a search by vector alone. */
  exact?: boolean | undefined;
  ef?: number | undefined;
  /** Deadline, as in `Date.now()`; null means none. */
  untilMs: number | null;
}

/** Places of each ranking that are merged, if not more hits are requested. */
const DEPTH = 100;

/**
 * Finds objects by the words of a text, and by its vector too if there is one, merged by rank; best first, each once.
 * Errors: `IndexNotFound`, `SearchTimeout`.
 */
export async function searchByWords(db: Db, index: IndexRow, request: WordsRequest): Promise<Found> {
  const { vector, weights, offset = 0, untilMs } = request;
  const limit = depthOf(request);
  const page = <T>(ranking: readonly T[]) => ranking.slice(offset, offset + request.limit);
  return inSearch(db, index, untilMs, async (trx, clock) => {
    const depth = vector ? Math.max(DEPTH, limit) : limit;
    await clock.limit(trx);
    const byWords = await findByText(trx, index, { ...request, limit: depth });
    if (!vector) {
      await clock.limit(trx);
      const hits = await readScoredHits(trx, index, page(byWords.matches), request);
      return { hits, exact: byWords.exact, complete: true };
    }
    const near = await findNeighbors(trx, index, { ...request, vector, limit: depth }, clock);
    const rankings = [
      { weight: weights.vector, found: near.neighbors },
      { weight: weights.text, found: byWords.matches },
    ];
    const fused = page(fuse(rankings, limit));
    await clock.limit(trx);
    const hits = await readScoredHits(trx, index, fused, request);
    return {
      hits: hits.map((hit, at) => withRanks(hit, fused[at])),
      exact: byWords.exact && near.exact,
      complete: near.complete,
    };
  });
}

/** Reads the hits, with their own scores instead of distances. */
async function readScoredHits(
  trx: Trx,
  index: IndexRow,
  matches: readonly { id: string; part: number | null; score: number }[],
  how: HowToRead,
): Promise<FoundHit[]> {
  const scores = new Map(matches.map(({ id, score }) => [id, score]));
  const neighbors = matches.map(({ id, part }) => ({ id, part, distance: 0 }));
  const hits = await readHits(trx, index, neighbors, how);
  return hits.map((hit) => ({ ...hit, score: scores.get(hit.id) ?? 0 }));
}

function withRanks(hit: FoundHit, fused: Fused | undefined): FoundHit {
  const [vector = null, text = null] = fused?.ranks ?? [];
  return { ...hit, ranks: { vector, text } };
}
