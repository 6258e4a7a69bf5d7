import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Embedder } from '../../src/contract/embedder.ts';
import type { Vector } from '../../src/contract/vectors.ts';
import { createHashEmbedder } from '../../src/models/hash.ts';
import { formatWordVectors, loadWordVectors, parseWordVectors } from '../../src/models/word-vectors.ts';
import { createWordsEmbedder } from '../../src/models/words.ts';
import { type NounGloss, readNounGlosses } from '../../src/runtime/tour/corpus.ts';
import { SYNONYM_QUERIES } from '../../src/runtime/tour/synonym-queries.ts';
import { cosine, lengthOf } from '../support/vectors.ts';

const words = createWordsEmbedder();
const GOLDEN = [
  -0.037167758239621186, 0.12556212322279275, 0.08987552612482878, 0.0015985828719779368, -0.03105213359583655,
  0.11768891353910979,
];

async function embed(text: string): Promise<number[]> {
  const [vector = []] = await words.embed([text], { purpose: 'document' });
  return [...vector];
}

async function similarity(left: string, right: string): Promise<number> {
  return cosine(await embed(left), await embed(right));
}

test('glove-100d-30k is exactly this file', async () => {
  const file = await readFile(new URL('../../data/words/glove-100d-30k.bin', import.meta.url));
  expect(createHash('sha256').update(file).digest('hex')).toBe(
    '19f06b166cb95f3c5197d20b9bd4927a19fb77c28861c4da74a294410802d70d',
  );
});

test('glove-100d-30k always gives the same numbers', async () => {
  const vector = await embed('The lion sleeps; a xyzzyq wakes');
  expect(vector.slice(0, 6)).toEqual(GOLDEN);
});

test.each([
  ['doctor', 'physician', 'banana'],
  ['kid', 'child', 'engine'],
  ['car', 'automobile', 'poem'],
  ['the king of England', 'a British monarch', 'a bowl of soup'],
  ['heavy rain', 'a violent storm', 'stock exchange'],
])('%s is nearer to %s than to %s', async (text, near, far) => {
  expect(await similarity(text, near)).toBeGreaterThan((await similarity(text, far)) + 0.2);
});

test.each(['', '  ', '!?', '😀', 'a', 'the', 'qqzzx', '12345', '中国', '\ud800'])(
  '%j has a finite vector of length 1',
  async (text) => {
    const vector = await embed(text);
    expect(vector).toHaveLength(100);
    expect(lengthOf(vector)).toBeCloseTo(1, 12);
  },
);

test('an unknown name matches itself and not another one', async () => {
  const text = 'a letter from Qwertzov about the harvest';
  expect(await similarity('Qwertzov', text)).toBeGreaterThan(0.2);
  expect(Math.abs(await similarity('Asdfgov', 'Qwertzov'))).toBeLessThan(0.3);
});

test('inflected and accented forms are read as the word they come from', async () => {
  expect(await embed('yapping')).toEqual(await embed('yap'));
  expect(await embed('tigér')).toEqual(await embed('tiger'));
  expect(await embed("the lion's")).toEqual(await embed('the lion'));
});

test('the file is read once', async () => {
  expect(await loadWordVectors()).toBe(await loadWordVectors());
});

test('a file of word vectors is read as it was written, within a half step of its scale', () => {
  const vectors = Float64Array.of(1, -0.5, 0.25, 0, 0, 0, 100, 50, -100);
  const read = parseWordVectors(formatWordVectors(['one', 'zwölf', 'x'], vectors, 3));
  expect([...read.rows]).toEqual([
    ['one', 0],
    ['zwölf', 1],
    ['x', 2],
  ]);
  for (const [at, value] of vectors.entries()) {
    const scale = read.scales[Math.floor(at / 3)] ?? 0;
    expect(Math.abs((read.components[at] ?? 0) * scale - value)).toBeLessThanOrEqual(scale * 0.501);
  }
});

test.each([Buffer.alloc(0), Buffer.from('hello, this is no file of vectors')])('another file is refused', (bytes) => {
  expect(() => parseWordVectors(bytes)).toThrow(/not a file of word vectors/);
});

describe('a search in the glosses of WordNet', () => {
  const hash = createHashEmbedder(256);
  const sample = readNounGlosses(7);
  let byHash: Vector[];
  let byWords: Vector[];

  beforeAll(async () => {
    byHash = await embedAll(hash, sample);
    byWords = await embedAll(words, sample);
  });

  test.each(SYNONYM_QUERIES)(
    'finds for $query by meaning what it does not find by spelling',
    async ({ query, expected }) => {
      const isExpected = ({ words: [first = ''] }: NounGloss) => expected.includes(first);
      expect((await search(hash, query, sample, byHash, 5)).some(isExpected)).toBe(false);
      const answers = (await search(words, query, sample, byWords, 5)).filter(isExpected);
      expect(answers.length).toBeGreaterThan(0);
      for (const { gloss } of answers) expect(gloss).not.toContain(query);
    },
  );

  test('a large cat of Africa is among the first 10', async () => {
    const animals = readNounGlosses(1).slice(0, 12_000);
    const found = await search(words, 'a large cat of Africa', animals, await embedAll(words, animals), 10);
    expect(found.flatMap((gloss) => gloss.words)).toContain('cheetah');
  });
});

function embedAll(embedder: Embedder, glosses: NounGloss[]): Promise<Vector[]> {
  return embedder.embed(
    glosses.map(({ gloss }) => gloss),
    { purpose: 'document' },
  );
}

async function search(embedder: Embedder, query: string, glosses: NounGloss[], vectors: Vector[], limit: number) {
  const [wanted = []] = await embedder.embed([query], { purpose: 'query' });
  return glosses
    .map((gloss, at) => ({ gloss, score: cosine(wanted, vectors[at] ?? []) }))
    .sort((left, right) => right.score - left.score)
    .slice(0, limit)
    .map(({ gloss }) => gloss);
}
