/** A search whose good answers share no word with it, over the glosses of every 7th noun of WordNet 3.1. */
export interface SynonymQuery {
  query: string;
  /** First word of each gloss that answers it; `words` has one of them among its first 5, `hash` has none. */
  expected: readonly string[];
}

/** Shows in a few searches what changing the model from `hash` to `words` is good for. */
export const SYNONYM_QUERIES: readonly SynonymQuery[] = [
  { query: 'booze', expected: ['alcoholic', 'bootlegger'] },
  { query: 'sofa', expected: ['daybed', 'bolster'] },
  { query: 'cinema', expected: ['feature'] },
  { query: 'quarrel', expected: ['bone of contention', 'issue', 'controversy'] },
  { query: 'cop', expected: ['dick'] },
];
