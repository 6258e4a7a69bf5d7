import type { Query } from '../../contract/query-sets.ts';
import type { NounGloss } from './corpus.ts';

const QUERIES = 100;
const MIN_CHARS = 4;

/**
 * Returns known-item queries: a word is the query, and its definition, which does not contain the word, the only
 * answer. They are spread over the glosses, and each word has one meaning among them.
 */
export function dictionaryQueries(glosses: readonly NounGloss[]): Query[] {
  const meanings = new Map<string, number>();
  for (const { words } of glosses) for (const word of words) meanings.set(word, (meanings.get(word) ?? 0) + 1);
  const fit = glosses.flatMap(({ id, words, gloss }) => {
    const word = words.find((one) => /^[a-z]+$/.test(one) && one.length >= MIN_CHARS && meanings.get(one) === 1);
    return word === undefined || gloss.toLowerCase().includes(word) ? [] : { id, word };
  });
  const step = Math.max(1, Math.floor(fit.length / QUERIES));
  return fit
    .filter((_, at) => at % step === 0)
    .slice(0, QUERIES)
    .map(({ id, word }) => ({ id: word, text: word, relevant: [{ id, grade: 1 }], metadata: {} }));
}
