import type { ReembedClient } from '../../client/client.ts';
import { SYNONYM_QUERIES } from './synonym-queries.ts';

const SHOWN = 3;
const LOOKED_AT = 5;
const SHOWN_CHARS = 56;

export interface SearchAnswer {
  query: string;
  index: string;
  /** The best hits: the words with a meaning, and its definition. */
  hits: { words: string; gloss: string }[];
  /** Whether one of the best five matches the meaning, although it shares no word with the query. */
  found: boolean;
}

/** Searches for meanings with words that their definitions do not contain. */
export async function searchMeanings(client: ReembedClient, index: string): Promise<SearchAnswer[]> {
  const answers: SearchAnswer[] = [];
  for (const { query, expected } of SYNONYM_QUERIES) {
    const result = await client.search(index, { text: query, limit: LOOKED_AT });
    const hits = result.hits.map(({ metadata, payload }) => ({
      words: Array.isArray(metadata?.words) ? metadata.words.join(', ') : '',
      gloss: String(payload),
    }));
    const found = hits.some(({ words }) => expected.some((word) => words.startsWith(word)));
    answers.push({ query, index: result.index, hits: hits.slice(0, SHOWN), found });
  }
  return answers;
}

/** Formats the answers as lines, query by query. */
export function searchLines(answers: readonly SearchAnswer[]): string[] {
  return answers.flatMap(({ query, hits, found }) => [
    `    ${found ? 'found' : '  -  '}  ${query}`,
    ...hits.map(({ words, gloss }) => `             ${shortened(words ? `${words}: ${gloss}` : gloss)}`),
  ]);
}

function shortened(text: string): string {
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS - 1)}…` : text;
}
