import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadTokenizer } from '../../src/tokenizers/tokenizer.ts';
import { tokenizerFolder } from '../support/tokenizers.ts';

const dir = tokenizerFolder();

test('cl100k_base counts as OpenAI does, and takes names of special tokens for text', async () => {
  const { count, countWhole } = await loadTokenizer({ name: 'cl100k_base', dir: null });
  expect(count('hello world')).toBe(2);
  expect(countWhole('hello world')).toBe(2);
  expect(count('<|endoftext|>')).toBeGreaterThan(1);
});

test('a WordPiece file counts words and pieces, and the tokens around each text', async () => {
  const { count, countWhole } = await loadTokenizer({ name: 'bert', dir });
  expect(count('hello world')).toBe(2);
  expect(count('Tokenization')).toBe(2);
  expect(countWhole('hello world')).toBe(4);
  expect(countWhole('')).toBe(2);
});

test('a file may be the tokenizer.json in a folder of its name', async () => {
  const { count } = await loadTokenizer({ name: 'unigram', dir });
  expect(count('hello world')).toBe(2);
});

test.each([
  ['without a folder', { name: 'bert', dir: null }, 'set REEMBED_TOKENIZER_DIR of the API and the workers'],
  ['that is not in the folder', { name: 'none', dir }, 'put the tokenizer.json of the model there as none.json'],
  ['that is not JSON', { name: 'broken', dir }, 'cannot be read from broken.json'],
])('a tokenizer %s is missing, and the error says what to do', async (_what, place, message) => {
  writeFileSync(path.join(dir, 'broken.json'), '{');
  await expect(loadTokenizer(place)).rejects.toMatchObject({
    type: 'TokenizerMissing',
    message: expect.stringContaining(message),
  });
});

test('a tokenizer that was missing is found once it is there', async () => {
  const place = { name: 'later', dir: tokenizerFolder() };
  await expect(loadTokenizer(place)).rejects.toMatchObject({ type: 'TokenizerMissing' });
  const { readFile } = await import('node:fs/promises');
  writeFileSync(path.join(place.dir, 'later.json'), await readFile(path.join(place.dir, 'bert.json')));
  expect((await loadTokenizer(place)).count('hello')).toBe(1);
});
