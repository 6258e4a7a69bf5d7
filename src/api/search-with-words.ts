import { invalidField, ReembedError } from '../contract/errors.ts';
import type { FullText } from '../contract/full-text.ts';
import { wantedFields } from '../contract/hit-fields.ts';
import type { Search, SearchResult } from '../contract/objects.ts';
import type { Vector } from '../contract/vectors.ts';
import type { Db } from '../store/database.ts';
import { searchByWords } from '../store/full-text/search.ts';
import type { IndexRow } from '../store/schema.ts';
import { embedQuery, type SearchModels } from './embed-query.ts';
import { withTexts } from './hit-texts.ts';
import type { SearchLimit } from './search-limit.ts';

/** Share of the remaining time that the model has if words alone may answer. */
const MODEL_SHARE = 0.6;

/**
 * Searches by words, or by words and vectors. Errors: `InvalidInput` for an index without full text, and those of
 * `searchIndex`.
 */
export async function searchWithWords(
  { db, models }: { db: Db; models: SearchModels },
  index: IndexRow,
  request: Search,
  { limit, bytes }: { limit: SearchLimit; bytes?: number | undefined },
): Promise<SearchResult> {
  const { language } = requireFullText(index, request);
  const { vector, degraded } =
    request.mode === 'hybrid' ? await embedText(models, index, request, limit) : { vector: null, degraded: false };
  const { hits, ...how } = await searchByWords(db, index, {
    text: request.text ?? '',
    language: request.language ?? language,
    limit: request.limit,
    offset: request.offset,
    fields: wantedFields(request.fields),
    bytes,
    filter: request.filter,
    vector,
    exact: request.exact,
    ef: request.ef,
    weights: request.weights ?? { vector: 1, text: 1 },
    untilMs: limit.untilMs,
  });
  return { index: index.name, hits: await withTexts(hits, index), ...how, ...(degraded ? { degraded } : {}) };
}

function requireFullText({ name, fullText }: IndexRow, { mode }: Search): FullText {
  if (fullText) return fullText;
  const what = `needs an index with fullText, which ${name} lacks; a reindex with destFullText makes one`;
  throw invalidField('mode', what, `mode ${mode} ${what}`);
}

/** Embeds the text; the vector is null if the model knows no word of it, or does not answer and need not. */
async function embedText(
  models: SearchModels,
  index: IndexRow,
  request: Search,
  limit: SearchLimit,
): Promise<{ vector: Vector | null; degraded: boolean }> {
  if (!request.allowDegraded) {
    return { vector: await limit.model((signal) => embedQuery(models, index, request, signal)), degraded: false };
  }
  const early = AbortSignal.timeout(Math.max(1, Math.floor((limit.untilMs - Date.now()) * MODEL_SHARE)));
  try {
    const embed = (signal: AbortSignal) => embedQuery(models, index, request, AbortSignal.any([signal, early]));
    return { vector: await limit.model(embed), degraded: false };
  } catch (error) {
    if (limit.signal.aborted || !(early.aborted || isModelDown(error))) throw error;
    return { vector: null, degraded: true };
  }
}

/** Whether the model is at fault, and not the text. */
function isModelDown(error: unknown): boolean {
  return error instanceof ReembedError && error.type.startsWith('Model') && error.type !== 'ModelRejectedInput';
}
