import type { Embedder, EmbedOptions } from '../contract/embedder.ts';
import { eachInTurn } from '../cpu/pace.ts';
import { extendHash, FNV_OFFSET, mixHash } from './hashing.ts';
import { countWords, tokens } from './tokens.ts';

const MIN_GRAM = 3;
const MAX_GRAM = 5;
/** Word boundary marks as in fastText (Bojanowski et al. 2017): `<her>` has n-grams that `where` does not have. */
const WORD_START = 0x3c;
const WORD_END = 0x3e;
/** Words and n-grams use different seeds, so that the word `<her` never equals the n-gram `<her`. */
const WORD_SEED = FNV_OFFSET;
const GRAM_SEED = 0x5bd1e995;

/**
 * Creates the embedder `hash-v1`: feature hashing with signs (Weinberger et al., "Feature Hashing for Large Scale
 * Multitask Learning", 2009) of words and their character n-grams. The same text always gives the same vector on any
 * machine: only integer hashes, additions, division and `Math.sqrt` are used, which their standards define exactly.
 * (`Math.log` is not exact, so repeated words are damped by the square root instead of the usual 1 + log tf.)
 *
 * Vectors have length 1. It finds texts that share words or parts of words, not meanings.
 */
export function createHashEmbedder(dimensions: number): Embedder {
  return {
    dimensions,
    maxTexts: 256,
    maxChars: 1_000_000,
    async embed(texts: readonly string[], { signal }: EmbedOptions): Promise<number[][]> {
      signal?.throwIfAborted();
      return eachInTurn(texts, (text) => embedText(text, dimensions), signal);
    },
    countTokens: countWords,
  };
}

function embedText(text: string, dimensions: number): number[] {
  const vector = new Array<number>(dimensions).fill(0);
  const frequencies = new Map<string, number>();
  for (const word of tokens(text)) frequencies.set(word, (frequencies.get(word) ?? 0) + 1);
  for (const [word, frequency] of frequencies) addWord(vector, word, Math.sqrt(frequency));
  return normalise(vector);
}

/** Adds a word, which weighs as much as all its n-grams together, whatever its length. */
function addWord(vector: number[], word: string, weight: number): void {
  const marked = markedCodePoints(word);
  let wordHash = WORD_SEED;
  for (const codePoint of marked) wordHash = extendHash(wordHash, codePoint);
  addFeature(vector, wordHash, weight);

  const gramWeight = weight / Math.sqrt(countGrams(marked.length));
  for (let start = 0; start + MIN_GRAM <= marked.length; start++) {
    const end = Math.min(start + MAX_GRAM, marked.length);
    let hash = GRAM_SEED;
    for (let at = start; at < end; at++) {
      hash = extendHash(hash, marked[at] as number);
      if (at - start + 1 >= MIN_GRAM) addFeature(vector, hash, gramWeight);
    }
  }
}

function addFeature(vector: number[], hash: number, weight: number): void {
  const mixed = mixHash(hash);
  const at = (mixed >>> 1) % vector.length;
  vector[at] = (vector[at] as number) + ((mixed & 1) === 0 ? weight : -weight);
}

function markedCodePoints(word: string): number[] {
  const marked = [WORD_START];
  for (let at = 0; at < word.length; at++) {
    const codePoint = word.codePointAt(at) as number;
    if (codePoint > 0xffff) at++;
    marked.push(codePoint);
  }
  marked.push(WORD_END);
  return marked;
}

function countGrams(length: number): number {
  let grams = 0;
  for (let size = MIN_GRAM; size <= MAX_GRAM; size++) grams += Math.max(0, length - size + 1);
  return grams;
}

/**
 * Scales a vector to length 1, in place. A text without words, or whose features cancel out, becomes the first unit
 * vector: pgvector's cosine distance to a zero vector is NaN, which no index can order.
 */
function normalise(vector: number[]): number[] {
  let squares = 0;
  for (const value of vector) squares += value * value;
  if (squares === 0) {
    vector[0] = 1;
    return vector;
  }
  const length = Math.sqrt(squares);
  for (let at = 0; at < vector.length; at++) vector[at] = (vector[at] as number) / length;
  return vector;
}
