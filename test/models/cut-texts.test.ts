import { describe, expect, test } from 'vitest';
import { cutOfOne, minTokens, type Reading, requireWhole, sizeOf } from '../../src/models/cut-texts.ts';
import { loadTokenizer } from '../../src/tokenizers/tokenizer.ts';
import { mixedCorpus } from '../support/corpus.ts';
import { TOKENIZERS, tokenizerFolder } from '../support/tokenizers.ts';

const letters = (count: number) => 'a '.repeat(count).trim();
const words = (count: number) => 'lion '.repeat(count).trim();

async function isCut(reading: Partial<Reading>): Promise<boolean> {
  const whole = { texts: [words(100)], tokens: undefined, window: undefined, areCounted: false, areWhole: false };
  const checked = requireWhole({ ...whole, ...reading }, 'model "m"');
  return checked.then(
    () => false,
    (error: unknown) => {
      expect(error).toMatchObject({ type: 'ModelRejectedInput', reason: 'truncated' });
      return true;
    },
  );
}

describe('a model has not read all of its texts', () => {
  const texts = [words(600), words(50)];
  test.each<[string, Partial<Reading>]>([
    ['with fewer tokens than words', { texts: [words(300)], tokens: 256 }],
    ['with fewer tokens than words of all texts', { texts, tokens: 562 }],
    ['with fewer tokens than Chinese characters have', { texts: ['你'.repeat(900)], tokens: 256 }],
    ['if it counted all that it reads', { tokens: 128, window: 128 }],
    ['if it counted more than it reads', { tokens: 140, window: 128, areCounted: true }],
    ['if it counted all that it reads for each text', { texts: ['a', 'b'], tokens: 256, window: 128 }],
    ['without a count, of a text with more words than it reads', { texts, window: 512 }],
    [
      'of a search text among others that is longer by an estimate',
      { texts, tokens: 700, window: 512, areWhole: true },
    ],
    ['if its tokens are shorter than estimated', { texts: [words(60), words(2)], tokens: 265, window: 256 }],
  ])('%s', async (_, reading) => {
    expect(await isCut(reading)).toBe(true);
  });
});

describe('a model has read all of its texts', () => {
  test.each<[string, Partial<Reading>]>([
    ['with a token for each word', { tokens: 100 }],
    ['if it counts nothing and the window is unknown', {}],
    ['if it counts texts instead of tokens', { texts: [words(600), words(600)], tokens: 2 }],
    ['that just fit by its own tokenizer', { tokens: 128, window: 128, areCounted: true }],
    ['that have fewer tokens than it reads', { tokens: 127, window: 128 }],
    ['that have more tokens together than it reads', { texts: [words(100), words(100)], tokens: 210, window: 128 }],
    ['without a count, if they may fit', { texts: [words(500)], window: 512 }],
    ['if it takes four characters for a token', { texts: [letters(300), letters(301)], tokens: 150 + 151 }],
    ['that do not exist', { texts: [], tokens: 128, window: 128 }],
  ])('%s', async (_, reading) => {
    expect(await isCut(reading)).toBe(false);
  });
});

test.each<[string, Omit<Reading, 'texts' | 'areWhole'>, string | undefined]>([
  [words(300), { tokens: 256, window: undefined, areCounted: false }, 'it counted 256 tokens for 300 or more'],
  [words(50), { tokens: 128, window: 128, areCounted: false }, 'it counted 128 tokens'],
  [words(50), { tokens: 128, window: 128, areCounted: true }, undefined],
  [words(300), { tokens: undefined, window: 256, areCounted: false }, 'it has more than 256 tokens'],
  [words(300), { tokens: undefined, window: undefined, areCounted: false }, undefined],
  [letters(300), { tokens: 150, window: undefined, areCounted: false }, undefined],
  [words(300), { tokens: 1, window: 512, areCounted: false }, undefined],
])('of a text alone, its size tells as much as the text: %#', async (text, reading, expected) => {
  expect(cutOfOne(sizeOf(text), reading)).toBe(expected);
  expect(await isCut({ ...reading, texts: [text] })).toBe(expected !== undefined);
});

test('the text that a model has not read is named if it is known', async () => {
  const reading = { tokens: undefined, window: 256, areCounted: false, areWhole: false };
  await expect(requireWhole({ ...reading, texts: ['a', words(300), 'b'] }, 'model "m"')).rejects.toThrow('input[1]');
});

test.each(TOKENIZERS.filter((name) => name !== 'estimate'))(
  'no text has fewer tokens by %s than assumed',
  async (name) => {
    const { count } = await loadTokenizer({ name, dir: tokenizerFolder() });
    for (const [what, text] of Object.entries(mixedCorpus())) {
      for (let at = 0; at < Math.min(text.length, 20_000); at += 500) {
        const piece = text.slice(at, at + 500);
        expect(minTokens(piece), `${what} at ${at}`).toBeLessThanOrEqual(count(piece));
      }
    }
  },
);
