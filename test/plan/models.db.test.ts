import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelInput } from '../../src/contract/models.ts';
import { uniqueName } from '../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { type EmbeddingServerOptions, startEmbeddingServer } from '../support/embedding-server.ts';
import { givenSource, plan, textsOf } from './support.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openPostgresDatabase();
});
afterAll(() => database?.close());

/** Tokens of four characters. */
const tokensOf = (text: string) => Math.ceil(text.length / 4);

async function withServer<T>(
  options: EmbeddingServerOptions,
  work: (
    model: Extract<ModelInput, { provider: 'openai' }>,
    server: Awaited<ReturnType<typeof startEmbeddingServer>>,
  ) => Promise<T>,
): Promise<T> {
  const server = await startEmbeddingServer({ tokensOf, ...options });
  try {
    return await work({ provider: 'openai', name: 'm', dimensions: 8, baseUrl: server.url }, server);
  } finally {
    await server.close();
  }
}

const planOf = async (texts: readonly string[], rest: Partial<Parameters<typeof plan>[1]>, settings = {}) => {
  const source = await givenSource(database.db, texts);
  return plan(database.db, { source: source.name, dest: uniqueName(), ...rest }, settings);
};

test('tokens come from what the provider counts in a few calls', async () => {
  await withServer({}, async (destModel, server) => {
    const texts = textsOf(600);
    const made = await planOf(texts, { destModel });
    expect(server.counts.requests).toBeLessThanOrEqual(7);
    expect(made.probe).toMatchObject({ calls: server.counts.requests, tokens: server.counts.tokens });
    const tokens = texts.reduce((sum, text) => sum + tokensOf(text.trim()), 0);
    expect(made.tokens).toMatchObject({ basis: 'sampled', from: expect.stringContaining('the provider counted') });
    expect(made.tokens.value).toBeGreaterThan(tokens * 0.9);
    expect(made.tokens.value).toBeLessThan(tokens * 1.1);
    // 600 texts, 128 in a call, of batches of 150 objects: four at once.
    expect(made.calls.value).toBe(4 * 2 + 1);
    expect(made.seconds.copy.from).toContain('for 8 calls');
  });
});

test('tokens are estimated from characters if the provider does not count them', async () => {
  await withServer({ tokensOf: null }, async (destModel) => {
    const made = await planOf(textsOf(10), { destModel });
    expect(made.tokens).toMatchObject({ basis: 'estimated', from: expect.stringContaining('does not count') });
  });
});

test('without a probe no call is made, tokens are estimated and the time is unknown', async () => {
  await withServer({}, async (destModel, server) => {
    const made = await planOf(textsOf(10), { destModel, probe: false });
    expect(server.counts.requests).toBe(0);
    expect(made).toMatchObject({
      probe: null,
      tokens: { value: expect.any(Number), basis: 'estimated' },
      seconds: { copy: { value: null, basis: null, from: 'no call was measured' }, total: { value: null } },
      obstacles: [],
    });
  });
});

test('an unknown price is not an error: the value is null with the reason', async () => {
  await withServer({}, async (destModel) => {
    const made = await planOf(textsOf(10), { destModel });
    expect(made.usd).toEqual({
      value: null,
      basis: null,
      from: expect.stringMatching(/^the price of openai\/m is not known: set REEMBED_MODEL_PRICES/),
    });
  });
});

test('a price of the setting counts', async () => {
  await withServer({}, async (destModel) => {
    const made = await planOf(textsOf(100), { destModel }, { modelPrices: { 'openai/m': 2 } });
    expect(made.usd).toMatchObject({ basis: 'sampled', from: '$2 per million tokens' });
    expect(made.usd.value).toBeCloseTo(((made.tokens.value ?? 0) * 2) / 1e6);
    expect(made.batchUsd?.value).toBeCloseTo((made.usd.value ?? 0) / 2);
  });
});

test('batches of a provider without them are refused, and of another one they are said to take time', async () => {
  const destModel = { provider: 'words' } as const;
  await expect(planOf(textsOf(2), { destModel, batchApi: true })).rejects.toMatchObject({
    issues: [{ path: 'batchApi' }],
  });
  expect((await planOf(textsOf(2), { destModel })).batchUsd).toBeNull();
  await withServer({}, async (model) => {
    const { warnings } = await planOf(textsOf(2), { destModel: model, batchApi: true });
    expect(warnings).toEqual([expect.stringContaining('may take a day')]);
  });
});

test('texts that are longer than the window of the model are counted, the longest by their objects', async () => {
  await withServer({}, async (model) => {
    const long = 'many words '.repeat(3_600);
    const destModel = { ...model, name: 'text-embedding-3-small' };
    const destSplitter = { chunkSize: 100_000, chunkOverlap: 0 };
    const made = await planOf([...textsOf(20), long, `${long} and more`], { destModel, destSplitter });
    expect(made).toMatchObject({ window: 8_191, longTexts: { value: 2 } });
    expect(made.longest.map(({ id }) => id)).toEqual(['object-000021', 'object-000020']);
    expect(made.warnings).toEqual([expect.stringContaining('2 texts are longer than the 8191 tokens')]);
  });
});

test('texts that a model would cut in silence are split, and counted as the parts that they become', async () => {
  await withServer({}, async (model) => {
    const made = await planOf([...textsOf(20), 'many words '.repeat(120)], {
      destModel: { ...model, name: 'all-minilm' },
    });
    expect(made).toMatchObject({ window: 256, longTexts: { value: 0 } });
    expect(made.parts.value).toBeGreaterThan(21);
  });
});

test('the window of an unknown model is unknown', async () => {
  await withServer({}, async (destModel) => {
    const made = await planOf(textsOf(5), { destModel });
    expect(made).toMatchObject({ window: null, longTexts: { value: null, from: 'the window of m is not known' } });
  });
});

test('a model that refuses the key is in the way, and all other figures are there', async () => {
  await withServer({ apiKey: 'right' }, async (destModel) => {
    const made = await planOf(textsOf(10), { destModel });
    expect(made.obstacles).toEqual([
      { reason: 'ModelUnauthorized', effect: 'fails', field: 'destModel', detail: expect.any(String) },
    ]);
    expect(made).toMatchObject({ parts: { value: 10 }, seconds: { total: { value: null } } });
  });
});

test('limits of the model and the rate of the reindex determine the time', async () => {
  await withServer({}, async (destModel) => {
    const slow = await planOf(textsOf(100), { destModel, ratePerSecond: 1 });
    expect(slow.seconds).toMatchObject({ boundBy: 'ratePerSecond', copy: { value: 100 } });
    const limits = { modelLimits: { 'openai/m': { tokensPerMinute: 600 } } };
    const limited = await planOf(textsOf(400), { destModel, probe: false }, limits);
    expect(limited.seconds).toMatchObject({
      boundBy: 'tokensPerMinute',
      copy: { value: null, from: expect.stringMatching(/at least \d+ s by 600 tokens per minute/) },
    });
  });
});
