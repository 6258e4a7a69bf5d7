/** A search whose good hits share no word with it, over the glosses of every 7th noun meaning of WordNet 3.1. */
export interface SynonymQuery {
  query: string;
  /** First word of each matching gloss; the model `words` has one of them among its first 5 hits, `hash` has none. */
  expected: readonly string[];
}

/** Searches that show the benefit of changing the model from `hash` to `words`. */
export const SYNONYM_QUERIES: readonly SynonymQuery[] = [
  { query: 'booze', expected: ['alcoholic', 'bootlegger'] },
  { query: 'sofa', expected: ['daybed', 'bolster'] },
  { query: 'cinema', expected: ['feature'] },
  { query: 'quarrel', expected: ['bone of contention', 'issue', 'controversy'] },
  { query: 'cop', expected: ['dick'] },
];
