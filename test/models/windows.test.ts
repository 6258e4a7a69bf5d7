import { expect, test } from 'vitest';
import { windowOf } from '../../src/models/windows.ts';

test.each([
  ['hash', 'hash-v1', Number.POSITIVE_INFINITY],
  ['openai', 'text-embedding-3-small', 8_191],
  ['openai', 'BAAI/bge-m3', 8_192],
  ['openai', 'all-minilm:latest', 256],
  ['openai', 'mine', undefined],
  ['openai', 'constructor', undefined],
  ['custom', 'bge-m3', undefined],
])('the window of %s/%s is %s', (provider, name, tokens) => {
  expect(windowOf({ provider, name })).toBe(tokens);
});

test('the configured window of a model counts, not the known one', () => {
  expect(windowOf({ provider: 'openai', name: 'bge-m3', windowTokens: 512 })).toBe(512);
});
