import { invalidField, type ReembedError } from '../contract/errors.ts';
import { wantedFields } from '../contract/hit-fields.ts';
import type { Search, SearchResult } from '../contract/objects.ts';
import type { Vector } from '../contract/vectors.ts';
import type { Db } from '../store/database.ts';
import { vectorOfObject } from '../store/example.ts';
import type { IndexRow } from '../store/schema.ts';
import { type Found, searchObjects } from '../store/search.ts';
import { codeOf, SQLSTATE } from '../store/sqlstate.ts';
import { badAnswer, embedQuery, problemOf, type SearchModels } from './embed-query.ts';
import { withTexts } from './hit-texts.ts';
import type { SearchLimit } from './search-limit.ts';
import { searchWithWords } from './search-with-words.ts';

/** What searches that belong together share. */
export interface SearchOptions {
  /** Embed the texts; default: the models of the process. */
  models?: SearchModels | undefined;
  /** Limit of payloads, metadata and texts; default: `LIMITS.answerBytes`. */
  bytes?: number | undefined;
}

/**
 * Searches one index by a vector, a text, which its model embeds, or an object of it. Errors: `InvalidInput`,
 * `IndexNotFound`, `ObjectNotFound`, `SearchTimeout` and those of the model.
 */
export async function searchIndex(
  { db, models }: { db: Db; models: SearchModels },
  index: IndexRow,
  request: Search,
  limit: SearchLimit,
  { models: shared = models, bytes }: SearchOptions = {},
): Promise<SearchResult> {
  if (request.mode !== 'vector') return searchWithWords({ db, models: shared }, index, request, { limit, bytes });
  const vector = await findVector({ db, models: shared }, index, request, limit);
  if (vector === null) return { index: index.name, hits: [], exact: true, complete: true, reason: 'no-known-words' };
  const { hits, ...how } = await findNearest(db, index, vector, request, { untilMs: limit.untilMs, bytes });
  return { index: index.name, hits: await withTexts(hits, index), ...how };
}

async function findVector(
  { db, models }: { db: Db; models: SearchModels },
  index: IndexRow,
  request: Search,
  limit: SearchLimit,
): Promise<Vector | null> {
  if (request.vector !== undefined) return request.vector;
  if (request.id !== undefined) return vectorOfObject(db, index, request.id);
  return limit.model((signal) => embedQuery(models, index, request, signal));
}

async function findNearest(
  db: Db,
  index: IndexRow,
  vector: Vector,
  { fields, id, vector: given, limit, filter, exact, ef, minScore, group, offset }: Search,
  how: { untilMs: number; bytes: number | undefined },
): Promise<Found> {
  const problem = problemOf(vector, index);
  if (problem) throw badVector(problem, id === undefined ? 'vector' : 'id');
  try {
    const wanted = { limit, filter, exact, ef, minScore, group, offset };
    return await searchObjects(db, index, { ...wanted, ...how, vector, except: id, fields: wantedFields(fields) });
  } catch (error) {
    // Half precision ends at 65,504.
    if (codeOf(error) !== SQLSTATE.numberOutOfRange) throw error;
    const what = `has numbers too large for the index ${index.name}`;
    throw given ? badVector(what) : badAnswer(what);
  }
}

function badVector(problem: string, field = 'vector'): ReembedError {
  return invalidField(field, problem, `the vector ${problem}`);
}
