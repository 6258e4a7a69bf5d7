import { expect, test } from 'vitest';
import { checkSplitter } from '../../src/api/check-splitter.ts';
import { indexConfigSchema } from '../../src/contract/indexes.ts';

const configOf = (splitter: object) =>
  indexConfigSchema.parse({ model: { provider: 'openai', name: 'm', dimensions: 3, windowTokens: 512 }, splitter });

test('a splitter that does not fit its model is refused by the field of the request', async () => {
  const failing = checkSplitter(configOf({ chunkTokens: 513 }), { field: 'destSplitter' });
  const message = 'must be at most 512, the window of m';
  await expect(failing).rejects.toMatchObject({
    type: 'InvalidInput',
    issues: [{ path: 'destSplitter.chunkTokens', message }],
  });
  await expect(checkSplitter(configOf({ chunkTokens: 512 }), {})).resolves.toBeUndefined();
});

test('a tokenizer that cannot be loaded is refused, with what to do', async () => {
  await expect(checkSplitter(configOf({ chunkTokens: 100, tokenizer: 'e5' }), {})).rejects.toMatchObject({
    issues: [{ path: 'splitter.tokenizer', message: expect.stringContaining('set REEMBED_TOKENIZER_DIR') }],
  });
});
