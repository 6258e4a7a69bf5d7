import { expect, test } from 'vitest';
import { createHashEmbedder } from '../../src/models/hash.ts';
import { cosine, lengthOf } from '../support/vectors.ts';

const GOLDEN_ENGLISH = [
  -0.020726641318149875, 0.3610200184562439, 0.004934030994831857, -0.5579659906512704, 0.23377113186477932,
  -0.6638275962118404, 0.0779237106215931, -0.23768979146240707,
];
const GOLDEN_UNICODE = [
  0.5813761678661743, 0.3109542343095856, -0.005336178627095462, 0.41635436068733955, 0.2620049107626957,
  -0.1843630907398024, -0.38987218176992444, 0.3705308982089568,
];

async function embed(text: string, dimensions = 256): Promise<number[]> {
  const [vector = []] = await createHashEmbedder(dimensions).embed([text], { purpose: 'document' });
  return [...vector];
}

test('hash-v1 always gives the same numbers', async () => {
  expect(await embed('The lion sleeps, the LION wakes.', 8)).toEqual(GOLDEN_ENGLISH);
  expect(await embed('Ünïcode 中国 123 😀 ﬁne', 8)).toEqual(GOLDEN_UNICODE);
});

test('case, compatibility forms and punctuation do not change a vector', async () => {
  expect(await embed('ＦＩＮＥ, ﬁne!')).toEqual(await embed('fine fine'));
});

test.each(['', '   ', '!?… —', '😀', '\u0000', '\ud800'])(
  'the wordless text %j has a vector of length 1',
  async (text) => {
    for (const dimensions of [1, 2, 256]) expect(lengthOf(await embed(text, dimensions))).toBe(1);
  },
);

test('a text whose features cancel out still has a vector of length 1', async () => {
  for (let at = 0; at < 200; at++) expect(lengthOf(await embed(`w${at} x${at}`, 1))).toBe(1);
});

test('texts that share words or parts of words are near, others are not', async () => {
  const lion = await embed('the lion sleeps in the grass');
  expect(cosine(lion, await embed('a lion in tall grass'))).toBeGreaterThan(0.4);
  expect(cosine(await embed('embedding'), await embed('embeddings'))).toBeGreaterThan(0.3);
  expect(cosine(lion, await embed('quarterly tax report'))).toBeLessThan(0.2);
});

test('a repeated word counts less than twice', async () => {
  const once = await embed('lion grass');
  expect(cosine(await embed('lion'), await embed('lion lion grass'))).toBeGreaterThan(
    cosine(await embed('lion'), once),
  );
  expect(cosine(await embed('grass'), await embed('lion lion lion lion grass'))).toBeGreaterThan(0.35);
});

test('vectors come in the order of the texts and an aborted call ends with its reason', async () => {
  const embedder = createHashEmbedder(16);
  const [a, b] = await embedder.embed(['one', 'two'], { purpose: 'query' });
  expect([a, b]).toEqual([await embed('one', 16), await embed('two', 16)]);
  const reason = new Error('enough');
  await expect(embedder.embed(['x'], { purpose: 'query', signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
