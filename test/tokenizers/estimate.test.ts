import { expect, test } from 'vitest';
import { estimateUpperTokens } from '../../src/tokenizers/estimate.ts';
import { loadTokenizer } from '../../src/tokenizers/tokenizer.ts';
import { mixedCorpus } from '../support/corpus.ts';
import { tokenizerFolder } from '../support/tokenizers.ts';

const dir = tokenizerFolder();
const CHARS = 400;

test.each(['cl100k_base', 'bert'])('the estimate is never below what the tokenizer %s counts', async (name) => {
  const { count, isExact } = await loadTokenizer({ name, dir });
  expect(isExact).toBe(true);
  let pieces = 0;
  for (const [what, text] of Object.entries(mixedCorpus(40_000))) {
    for (let at = 0; at < text.length; at += CHARS) {
      const piece = text.slice(at, at + CHARS);
      // A short rest has too few words for an average.
      if (at > 0 && piece.length < CHARS / 2) continue;
      expect(estimateUpperTokens(piece), `${what} at ${at}`).toBeGreaterThanOrEqual(count(piece));
      pieces += 1;
    }
  }
  expect(pieces).toBeGreaterThan(200);
});

test('the estimate of English is at most three times what cl100k_base counts', async () => {
  const { count } = await loadTokenizer({ name: 'cl100k_base', dir: null });
  const { English = '' } = mixedCorpus(40_000);
  expect(estimateUpperTokens(English)).toBeLessThan(3 * count(English));
});
