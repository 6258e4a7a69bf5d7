import { APICallError } from 'ai';
import { expect, test } from 'vitest';
import type { Embedder } from '../../src/contract/embedder.ts';
import { type ModelConfig, type ModelInput, modelSchema } from '../../src/contract/models.ts';
import { checkEmbedder } from '../../src/models/check-embedder.ts';
import type { SdkEmbeddingModel } from '../../src/models/custom.ts';
import { createModels } from '../../src/models/models.ts';

const models = createModels({ env: {} });

function config(model: ModelInput): ModelConfig {
  return modelSchema.parse(model);
}

function custom(dimensions = 2): ModelConfig {
  return config({ provider: 'custom', name: 'mine', dimensions });
}

function sdkModel(doEmbed: (texts: string[]) => number[][], maxEmbeddingsPerCall: number | PromiseLike<number> = 3) {
  const calls: string[][] = [];
  const model: SdkEmbeddingModel = {
    specificationVersion: 'v3',
    provider: 'test',
    modelId: 'test',
    maxEmbeddingsPerCall,
    supportsParallelCalls: true,
    async doEmbed({ values }) {
      calls.push(values);
      return { embeddings: doEmbed(values), warnings: [] };
    },
  };
  return { model, calls };
}

test.each([{ provider: 'hash', dimensions: 32 }, { provider: 'words' }] satisfies ModelInput[])(
  '$provider passes its check',
  async (model) => {
    await expect(checkEmbedder(models.embedder(config(model)))).resolves.toBeUndefined();
  },
);

test('the same config gives the same embedder, whatever the order of its fields', () => {
  const embedder = models.embedder({ provider: 'hash', name: 'hash-v1', dimensions: 32 });
  expect(models.embedder({ dimensions: 32, name: 'hash-v1', provider: 'hash' })).toBe(embedder);
  expect(models.embedder({ dimensions: 33, name: 'hash-v1', provider: 'hash' })).not.toBe(embedder);
});

test.each([
  { provider: 'hash', name: 'hash-v9' },
  { provider: 'words', name: 'glove-1d' },
] satisfies ModelInput[])('the unknown name $name is ModelNotFound and suggests the known one', (model) => {
  const known = model.provider === 'hash' ? 'hash-v1' : 'glove-100d-30k';
  expect(() => models.embedder(config(model))).toThrow(
    expect.objectContaining({ type: 'ModelNotFound', message: expect.stringContaining(known) }),
  );
});

test('an unregistered custom model is ModelNotFound and lists the registered names', () => {
  const { model } = sdkModel(() => []);
  const some = createModels({ env: {}, custom: { other: model, another: model } });
  expect(() => some.embedder(custom())).toThrow(/"mine".*"another", "other"/);
  expect(() => models.embedder(custom())).toThrow(/none is registered/);
  expect(() => models.embedder(config({ provider: 'custom', name: 'toString', dimensions: 2 }))).toThrow(/none is/);
});

test.each([2, Promise.resolve(2)])('a model of the AI SDK is called within its own limit', async (limit) => {
  const { model, calls } = sdkModel((texts) => texts.map((text) => [text.length, 1]), limit);
  const embedder = createModels({ env: {}, custom: { mine: model } }).embedder(custom());
  expect(await embedder.embed(['a', 'bb', 'ccc'], { purpose: 'query' })).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
  expect(calls).toEqual([['a', 'bb'], ['ccc']]);
});

test.each([
  ['another dimension', () => [[1]], 'ModelWrongDimension'],
  ['no number', () => [[Number.NaN, 1]], 'ModelBadAnswer'],
  [
    'too many vectors',
    () => [
      [1, 1],
      [1, 1],
    ],
    'ModelBadAnswer',
  ],
  [
    'an HTTP status',
    () => {
      throw new APICallError({ message: 'no', url: 'http://x', requestBodyValues: {}, statusCode: 422 });
    },
    'ModelRejectedInput',
  ],
  [
    'any other error',
    () => {
      throw new Error('out of memory');
    },
    'ModelUnavailable',
  ],
])('a model of the AI SDK that answers with %s fails like the built-in ones', async (_, doEmbed, type) => {
  const embedder = createModels({ env: {}, custom: { mine: sdkModel(doEmbed).model } }).embedder(custom());
  await expect(embedder.embed(['x'], { purpose: 'query' })).rejects.toMatchObject({ name: type, type });
});

test("a custom embedder is checked and keeps the caller's abort", async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const mine: Embedder = {
    dimensions: 2,
    maxTexts: 5,
    maxChars: 100,
    async embed(texts) {
      if (texts[0] === 'abort') {
        controller.abort(reason);
        throw new Error('stopped');
      }
      return texts.map(() => [0, 1, 2]);
    },
  };
  const own = createModels({ env: {}, custom: { mine } });
  const embedder = own.embedder(custom());
  expect(embedder).toMatchObject({ maxTexts: 5, maxChars: 100 });
  await expect(checkEmbedder(embedder)).rejects.toMatchObject({ type: 'ModelWrongDimension' });
  await expect(embedder.embed(['abort'], { purpose: 'query', signal: controller.signal })).rejects.toBe(reason);
  expect(() => own.embedder(custom(3))).toThrow(expect.objectContaining({ type: 'ModelWrongDimension' }));
});
