import { invalidField, type ReembedError } from '../contract/errors.ts';
import type { Search, SearchResult } from '../contract/objects.ts';
import type { Vector } from '../contract/vectors.ts';
import type { Db } from '../store/database.ts';
import type { IndexRow } from '../store/schema.ts';
import { type Found, searchObjects } from '../store/search.ts';
import { codeOf, SQLSTATE } from '../store/sqlstate.ts';
import { badAnswer, embedQuery, problemOf, type SearchModels } from './embed-query.ts';
import type { SearchLimit } from './search-limit.ts';
import { searchWithWords } from './search-with-words.ts';

/**
 * Searches one index, embedding the text with its model. Errors: `InvalidInput`, `IndexNotFound`, `SearchTimeout` and
 * those of the model.
 */
export async function searchIndex(
  { db, models }: { db: Db; models: SearchModels },
  index: IndexRow,
  request: Search,
  limit: SearchLimit,
): Promise<SearchResult> {
  if (request.mode !== 'vector') return searchWithWords({ db, models }, index, request, limit);
  const vector = request.vector ?? (await limit.model((signal) => embedQuery(models, index, request, signal)));
  if (vector === null) return { index: index.name, hits: [], exact: true, complete: true, reason: 'no-known-words' };
  return { index: index.name, ...(await findNearest(db, index, vector, request, limit.untilMs)) };
}

async function findNearest(
  db: Db,
  index: IndexRow,
  vector: Vector,
  { limit, filter, exact, ef, vector: given }: Search,
  untilMs: number,
): Promise<Found> {
  const problem = problemOf(vector, index);
  if (problem) throw badVector(problem);
  try {
    return await searchObjects(db, index, { vector, limit, filter, exact, ef, untilMs });
  } catch (error) {
    // Half precision ends at 65,504.
    if (codeOf(error) !== SQLSTATE.numberOutOfRange) throw error;
    const what = `has numbers too large for the index ${index.name}`;
    throw given ? badVector(what) : badAnswer(what);
  }
}

function badVector(problem: string): ReembedError {
  return invalidField('vector', problem, `the vector ${problem}`);
}
