import { expect, test } from 'vitest';
import type { Embedder } from '../../src/contract/embedder.ts';
import type { Vector } from '../../src/contract/vectors.ts';
import { createTellingEmbedder } from '../../src/models/tell-apart.ts';

/** An embedder with a vector for each text; `asked` has its calls. */
function given(vectorOf: (text: string) => Vector) {
  const asked: string[][] = [];
  const embedder: Embedder = {
    ...{ dimensions: 2, maxTexts: 10, maxChars: 1_000 },
    async embed(texts) {
      asked.push([...texts]);
      return texts.map(vectorOf);
    },
  };
  const telling = createTellingEmbedder(embedder);
  return { asked, embed: (...texts: string[]) => telling.embed(texts, { purpose: 'document' }) };
}
const same = () => [1, 2];
const lowerCase = (text: string) => [text.toLowerCase().length, text.toLowerCase().charCodeAt(0)];

test('a model with the same vector for all texts of a call is refused, each time', async () => {
  const { embed } = given(same);
  await expect(embed('a', 'b')).rejects.toMatchObject({ type: 'ModelSameVector' });
  await expect(embed('a', 'b')).rejects.toMatchObject({ type: 'ModelSameVector' });
});

test('a model that is asked for one text per call is refused at the second text', async () => {
  const { embed } = given(same);
  expect(await embed('a')).toEqual([[1, 2]]);
  await expect(embed('b')).rejects.toMatchObject({ type: 'ModelSameVector' });
  await expect(embed('b')).rejects.toMatchObject({ type: 'ModelSameVector' });
});

test('a model that goes wrong later is refused from its first call with several texts', async () => {
  let isBroken = false;
  const { embed } = given((text) => (isBroken ? [1, 2] : lowerCase(text)));
  expect(await embed('a', 'bb')).toHaveLength(2);
  isBroken = true;
  await expect(embed('c', 'dd')).rejects.toMatchObject({ type: 'ModelSameVector' });
});

test('a model that takes two texts for the same is not refused, and not asked about others again and again', async () => {
  const { embed, asked } = given(lowerCase);
  expect(await embed('Cat', 'cat')).toHaveLength(2);
  expect(asked).toHaveLength(3);
  expect(await embed('Dog', 'dog')).toHaveLength(2);
  expect(asked).toHaveLength(4);
});

test('one text may come again and again', async () => {
  const { embed, asked } = given(same);
  for (let call = 0; call < 3; call++) expect(await embed('a')).toEqual([[1, 2]]);
  expect(asked).toHaveLength(3);
});
