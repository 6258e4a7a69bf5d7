import type { Embedder, EmbedOptions } from '../contract/embedder.ts';
import { eachInTurn } from '../cpu/pace.ts';
import { extendHash, hashString, mixHash } from './hashing.ts';
import { countWords, tokens } from './tokens.ts';
import { variantsOf } from './word-variants.ts';
import { loadWordVectors, type WordVectors } from './word-vectors.ts';

const WORDS_DIMENSIONS = 100;

/** SIF's `a`, chosen on WordNet by finding a gloss by its word, from the range 1e-4 to 3e-3. */
const SMOOTHING = 3e-4;
/** Zipf's law with Mandelbrot's offset; the norm is ln(1.78 n) for the n = 400,000 words that GloVe was trained on. */
const RANK_OFFSET = 2.7;
const ZIPF_NORM = 13.476;
/** An unknown word counts half of a rare known one: enough to find itself, too little to dominate the known words. */
const UNKNOWN_WEIGHT = 0.5;
/** What follows an apostrophe (`dog's`, `don't`, `we'll`) says nothing about the topic. */
const CLITICS = /(?:n['’]t|['’](?:s|re|ve|ll|d|m))(?![\p{L}\p{N}])/giu;

/**
 * Creates the embedder `glove-100d-30k`: the average of GloVe word vectors (Pennington et al. 2014), weighted by smooth
 * inverse frequency a / (a + p(word)) as in Arora et al., "A Simple but Tough-to-Beat Baseline for Sentence Embeddings"
 * (2017), with p estimated from the word's rank. The file's vectors are already without their common component
 * (`scripts/make-words.ts`). 100 numbers, length 1. English only; word order does not count. A text of only unknown
 * words has a vector that is near only to the same words; `knows` detects this.
 */
export function createWordsEmbedder(): Embedder {
  return {
    dimensions: WORDS_DIMENSIONS,
    maxTexts: 256,
    maxChars: 1_000_000,
    async embed(texts: readonly string[], { signal }: EmbedOptions): Promise<number[][]> {
      signal?.throwIfAborted();
      const vectors = await loadWordVectors();
      return eachInTurn(texts, (text) => embedText(text, vectors), signal);
    },
    countTokens: countWords,
    async knows(texts) {
      const { rows } = await loadWordVectors();
      return eachInTurn(texts, (text) =>
        wordsOf(text).some((word) => isWord(word) && findRow(word, rows) !== undefined),
      );
    },
  };
}

const wordsOf = (text: string) => tokens(text.replace(CLITICS, ' '));

/** Excludes single Latin letters, which are nearly always articles or parts of an abbreviation. */
const isWord = (word: string) => !/^[a-z]$/.test(word);

function embedText(text: string, vectors: WordVectors): number[] {
  const words = wordsOf(text);
  const sum = new Array<number>(vectors.dimensions).fill(0);
  for (const word of words) if (isWord(word)) addWord(sum, word, vectors);
  if (sum.every((value) => value === 0)) {
    // pgvector cannot order zero vectors, so a text of symbols only needs a direction too.
    addUnknown(sum, words.length > 0 ? words.join(' ') : text.normalize('NFKC').trim());
  }
  const length = Math.sqrt(sum.reduce((squares, value) => squares + value * value, 0));
  return sum.map((value) => value / length);
}

function addWord(sum: number[], word: string, vectors: WordVectors): void {
  const row = findRow(word, vectors.rows);
  if (row === undefined) {
    addUnknown(sum, word);
    return;
  }
  const weight = weightOfRank(row) * (vectors.scales[row] as number);
  const offset = row * vectors.dimensions;
  for (let at = 0; at < sum.length; at++) {
    sum[at] = (sum[at] as number) + weight * (vectors.components[offset + at] as number);
  }
}

function findRow(word: string, rows: Map<string, number>): number | undefined {
  const row = rows.get(word);
  if (row !== undefined) return row;
  for (const variant of variantsOf(word)) {
    const variantRow = rows.get(variant);
    if (variantRow !== undefined) return variantRow;
  }
  return undefined;
}

function weightOfRank(rank: number): number {
  const probability = 1 / ((rank + RANK_OFFSET) * ZIPF_NORM);
  return SMOOTHING / (SMOOTHING + probability);
}

/** Adds a vector of ±1 directions drawn from the word's hash; two unknown words are nearly orthogonal. */
function addUnknown(sum: number[], word: string): void {
  const seed = hashString(word);
  const component = UNKNOWN_WEIGHT / Math.sqrt(sum.length);
  for (let at = 0; at < sum.length; at++) {
    const sign = (mixHash(extendHash(seed, at)) & 1) === 0 ? component : -component;
    sum[at] = (sum[at] as number) + sign;
  }
}
