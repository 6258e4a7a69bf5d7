import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ReembedError } from '../../../src/contract/errors.ts';
import { indexConfigSchema } from '../../../src/contract/indexes.ts';
import { type ModelKey, modelKeyOf, withWellKnown } from '../../../src/contract/model-keys.ts';
import { createModels } from '../../../src/models/models.ts';
import { prepareObjects } from '../../../src/pipeline/prepare.ts';
import {
  startWireServer,
  textsOfRequest,
  usualAnswer,
  type WireAnswer,
  type WireRequest,
  type WireServer,
} from '../../support/provider-wires.ts';
import { CLOUDS } from './published/clouds.ts';
import type { Published } from './published/error.ts';
import { OPENAI_LIKE } from './published/openai-like.ts';
import { OTHERS } from './published/others.ts';

const KEYS = withWellKnown(
  ['TEST_KEY=127.0.0.1', 'AZURE_API_KEY=127.0.0.1'].map((written) => modelKeyOf(written) as ModelKey),
);
const KEY = 'test-key-0123456789';
const ENV = { TEST_KEY: KEY, AZURE_API_KEY: KEY, GOOGLE_VERTEX_API_KEY: KEY, AWS_BEARER_TOKEN_BEDROCK: KEY };

let server: WireServer;
beforeAll(async () => {
  server = await startWireServer();
});
afterAll(() => server.close());

/** Sends requests for the fixed hosts of clouds to the server of the test. */
const toServer: typeof fetch = (input, init) => {
  const url = new URL(String(input instanceof Request ? input.url : input));
  return fetch(`${server.origin}${url.pathname}${url.search}`, init);
};

const MODEL = { name: 'm', dimensions: 4, apiKeyEnv: 'TEST_KEY' };
const at = (path: string) => ({ ...MODEL, baseUrl: `${server.origin}${path}` });
const MODELS: Record<string, () => object> = {
  openai: () => ({ provider: 'openai', ...at('/v1') }),
  azure: () => ({
    ...{ provider: 'azure', name: 'm', dimensions: 4 },
    ...{ baseUrl: `${server.origin}/openai`, apiVersion: '2024-10-21' },
  }),
  cohere: () => ({ provider: 'cohere', ...at('/v2') }),
  voyage: () => ({ provider: 'voyage', ...at('/v1') }),
  google: () => ({ provider: 'google', ...at('/v1beta') }),
  vertex: () => ({ provider: 'vertex', ...MODEL, apiKeyEnv: 'GOOGLE_VERTEX_API_KEY', batchSize: 250 }),
  bedrock: () => ({
    provider: 'bedrock',
    name: 'cohere.embed-v4:0',
    dimensions: 4,
    region: 'eu-central-1',
    sendDimensions: false,
  }),
  mistral: () => ({ provider: 'mistral', ...at('/v1') }),
  jina: () => ({ provider: 'jina', ...at('/v1') }),
  ollama: () => ({ provider: 'ollama', ...at('/api') }),
  compatible: () => ({ provider: 'openai', name: 'm', dimensions: 4, baseUrl: `${server.origin}/v1` }),
};

interface Outcome {
  /** Ids of the objects with vectors of all their text. */
  stored: string[];
  /** The reason of each object on the failed list. */
  failed: Record<string, string>;
  /** What stopped the work: a task waits or pauses with it. */
  stoppedBy: ReembedError | null;
  calls: number;
}

const OBJECTS = { a: 'a lion sleeps', b: 'two tigers eat', c: 'ten bears run' };

/** Embeds objects as a task does, with a provider that answers in this way. */
async function embedOn(
  provider: string,
  answer: (request: WireRequest, number: number) => WireAnswer,
  objects: Record<string, string> = OBJECTS,
): Promise<Outcome> {
  const splitter = { chunkSize: 10_000, chunkOverlap: 0 };
  const config = indexConfigSchema.parse({ model: (MODELS[provider] as () => object)(), splitter });
  let calls = 0;
  server.answer((request) => answer(request, calls++));
  const outcome: Outcome = { stored: [], failed: {}, stoppedBy: null, calls: 0 };
  const portions = prepareObjects(
    Object.entries(objects).map(([id, payload]) => ({ id, payload })),
    {
      config,
      embedder: createModels({ env: ENV, keys: KEYS, fetch: toServer }).embedder(config.model),
      loader: async ({ payload }) => payload ?? '',
      pause: async () => {},
      concurrency: 1,
    },
  );
  try {
    for await (const { ready, failed } of portions) {
      outcome.stored.push(...ready.map(({ id }) => id));
      for (const { objectId, reason } of failed) outcome.failed[objectId] = reason;
    }
  } catch (error) {
    if (!(error instanceof ReembedError)) throw error;
    outcome.stoppedBy = error;
  }
  return { ...outcome, calls };
}

const OK = { failed: {}, stoppedBy: null, stored: ['a', 'b', 'c'] };
const stoppedBy = (type: string, calls: number) => ({
  ...{ stored: [], failed: {}, calls },
  stoppedBy: expect.objectContaining({ type }),
});

/** Errors that say the same of all texts: there is one call, and no other until the task continues. */
const AT_ONCE = ['ModelQuotaUsedUp', 'ModelUnauthorized', 'ModelNotFound', 'ModelRateLimited'];
/** The call, once more, and one with a text that every model accepts. */
const AFTER_TRIES = 3;

const PUBLISHED: Record<string, Published> = { ...OPENAI_LIKE, ...CLOUDS, ...OTHERS };

describe.each(Object.keys(PUBLISHED))('the provider %s', (provider) => {
  const { errors, tooLong } = PUBLISHED[provider] as Published;

  test.each(errors.map((error) => [error.what, error.type, error] as const))(
    'stores nothing while %s: %s',
    async (_what, type, { answer, retryAfterMs }) => {
      const { calls, ...outcome } = await embedOn(provider, () => answer);
      expect(outcome).toEqual({ stored: [], failed: {}, stoppedBy: expect.objectContaining({ type }) });
      expect(outcome.stoppedBy?.retryAfterMs).toBe(retryAfterMs);
      expect(outcome.stoppedBy?.message).not.toContain(KEY);
      if (AT_ONCE.includes(type)) expect(calls).toBe(1);
      if (type === 'ModelUnavailable') expect(calls).toBe(AFTER_TRIES);
    },
  );

  test('stores all parts of a text that it refuses as too long, and the others', async () => {
    const long = 'a very long text of words '.repeat(40).trim();
    const outcome = await embedOn(
      provider,
      (request) => {
        const place = textsOfRequest(request).findIndex((text) => text.length > 600);
        return place < 0 ? usualAnswer(request) : tooLong(place);
      },
      { a: 'a lion', long, c: 'ten bears' },
    );
    expect(outcome).toMatchObject({ stored: ['a', 'long', 'c'], failed: {}, stoppedBy: null });
    expect(outcome.calls).toBeLessThanOrEqual(7);
  });

  test.each([
    ['an answer of HTML', { status: 200, body: '<html>It works!</html>' }, 'ModelBadAnswer'],
    ['an empty answer', { status: 200, body: '' }, 'ModelBadAnswer'],
    ['an empty list', { status: 200, body: { data: [], embeddings: [], predictions: [] } }, 'ModelBadAnswer'],
    ['HTML of a gateway', { status: 502, body: '<html>502 Bad Gateway</html>' }, 'ModelUnavailable'],
    ['a connection that ends', { status: 200, body: '{"data":[]}'.repeat(9), isCut: true }, 'ModelUnavailable'],
  ])('stores nothing with %s, and all once it has passed', async (_what, answer, type) => {
    expect(await embedOn(provider, () => answer)).toEqual(stoppedBy(type, AFTER_TRIES));
    const once = await embedOn(provider, (request, number) => (number === 0 ? answer : usualAnswer(request)));
    expect(once).toEqual({ ...OK, calls: 2 });
  });

  test('stores nothing with too few or too many vectors', async () => {
    for (const change of [(list: unknown[]) => list.slice(1), (list: unknown[]) => [...list, list[0]]]) {
      const outcome = await embedOn(provider, (request) => changed(usualAnswer(request), change));
      // A call of the Gemini API for one text has no list.
      if (provider === 'google') expect(outcome).toEqual({ ...OK, calls: expect.any(Number) });
      else expect(outcome).toEqual(stoppedBy('ModelBadAnswer', AFTER_TRIES));
    }
  });

  test.each([
    ['null in a vector', [1, null, 3, 4], 'ModelBadAnswer'],
    ['texts in a vector', ['1', '2', '3', '4'], 'ModelBadAnswer'],
    ['a vector of zeros', [0, 0, 0, 0], 'ZeroVector'],
    ['a vector that is too short', [1, 2, 3], 'ModelBadAnswer'],
  ])('fails only the object with %s', async (_what, vector, reason) => {
    const outcome = await embedOn(provider, (request) => {
      const texts = textsOfRequest(request);
      return changed(usualAnswer(request), (list) =>
        list.map((item, place) => (texts[place] === OBJECTS.b ? withVector(item, vector) : item)),
      );
    });
    expect(outcome).toMatchObject({ stored: ['a', 'c'], failed: { b: reason }, stoppedBy: null });
  });

  test('stores nothing with NaN, which is not JSON', async () => {
    const outcome = await embedOn(provider, (request) => {
      const { body, status } = usualAnswer(request);
      return { status, body: JSON.stringify(body).replace(/\[\d+,/g, '[NaN,') };
    });
    expect(outcome).toEqual(stoppedBy('ModelBadAnswer', AFTER_TRIES));
  });

  test('stores nothing with the same vector for all texts', async () => {
    const outcome = await embedOn(provider, (request) =>
      changed(usualAnswer(request), (list) => list.map((item) => withVector(item, [1, 2, 3, 4]))),
    );
    expect(outcome).toMatchObject({ stored: [], failed: {}, stoppedBy: { type: 'ModelSameVector' } });
  });

  test('stores nothing with vectors of another length', async () => {
    const outcome = await embedOn(provider, (request) =>
      changed(usualAnswer(request), (list) => list.map((item, place) => withVector(item, [1, 2, place]))),
    );
    expect(outcome).toEqual(stoppedBy('ModelWrongDimension', 1));
  });
});

test.each(['openai', 'azure', 'voyage', 'mistral', 'jina'])(
  'repeated indexes of %s store nothing, and another order stores each vector with its text',
  async (provider) => {
    const repeated = await embedOn(provider, (request) =>
      changed(usualAnswer(request), (list) => list.map((item) => ({ ...(item as object), index: 0 }))),
    );
    // With one text, the index 0 is right.
    expect(repeated).toMatchObject({ stored: ['a', 'b', 'c'], failed: {} });
    expect(server.requests.at(-1)?.body.input).toHaveLength(1);
    const reversed = await embedOn(provider, (request) => changed(usualAnswer(request), (list) => list.toReversed()));
    expect(reversed).toEqual({ ...OK, calls: 1 });
  },
);

/** An answer with other items. */
function changed(answer: WireAnswer, change: (items: unknown[]) => unknown[]): WireAnswer {
  const body = structuredClone(answer.body) as Record<string, unknown>;
  if (Array.isArray(body.data)) body.data = change(body.data);
  else if (Array.isArray(body.predictions)) body.predictions = change(body.predictions);
  else if (Array.isArray(body.embeddings)) body.embeddings = change(body.embeddings);
  else if (body.embeddings) body.embeddings = { float: change((body.embeddings as { float: unknown[] }).float) };
  else if (body.embedding) body.embedding = change([body.embedding])[0] ?? body.embedding;
  return { ...answer, body };
}

/** An item of an answer with another vector. */
function withVector(item: unknown, vector: unknown[]): unknown {
  if (Array.isArray(item)) return vector;
  const { embedding, values, embeddings } = item as Record<string, unknown>;
  if (embedding) return { ...(item as object), embedding: vector };
  if (values) return { ...(item as object), values: vector };
  return { ...(item as object), embeddings: { ...(embeddings as object), values: vector } };
}
