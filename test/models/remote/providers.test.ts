import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ReembedError } from '../../../src/contract/errors.ts';
import { type ModelKey, modelKeyOf, withWellKnown } from '../../../src/contract/model-keys.ts';
import { modelSchema } from '../../../src/contract/models.ts';
import { createModels } from '../../../src/models/models.ts';
import { startWireServer, vectorOfText, type WireAnswer, type WireServer } from '../../support/provider-wires.ts';

const KEY = 'test-key-0123456789';
const KEYS = withWellKnown(
  ['TEST_KEY=127.0.0.1', 'AZURE_API_KEY=127.0.0.1'].map((written) => modelKeyOf(written) as ModelKey),
);
const ENV = { TEST_KEY: KEY, AZURE_API_KEY: KEY, GOOGLE_VERTEX_API_KEY: KEY, AWS_BEARER_TOKEN_BEDROCK: KEY };
const TEXTS = ['a lion', 'two tigers', '","dimensions":4,"x":"'];

let server: WireServer;
beforeAll(async () => {
  server = await startWireServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  server.answer(undefined);
});

/** Sends requests for the fixed hosts of clouds to the server of the test. */
const toServer: typeof fetch = (input, init) => {
  const url = new URL(String(input instanceof Request ? input.url : input));
  return fetch(`${server.origin}${url.pathname}${url.search}`, init);
};

interface Row {
  config: Record<string, unknown>;
  path: string;
  /** The header of the key, and its value. */
  key: [name: string, value: string];
  /** The body of a request for documents, apart from the texts. */
  document: object;
  query: object;
  tokens?: number;
}

const bearer: Row['key'] = ['authorization', `Bearer ${KEY}`];
const MODEL = { name: 'm', dimensions: 4, sendDimensions: true, apiKeyEnv: 'TEST_KEY' };
const rows: Record<string, (origin: string) => Row> = {
  openai: (origin) => ({
    config: { ...MODEL, baseUrl: `${origin}/v1`, extraBody: { user: 'search' } },
    path: '/v1/embeddings',
    key: bearer,
    document: { user: 'search', model: 'm', input: TEXTS, encoding_format: 'base64', dimensions: 4 },
    query: { user: 'search', model: 'm', input: TEXTS, encoding_format: 'base64', dimensions: 4 },
    tokens: 7,
  }),
  azure: (origin) => ({
    config: { name: 'm', dimensions: 4, baseUrl: `${origin}/openai`, apiVersion: '2024-10-21' },
    path: '/openai/deployments/m/embeddings?api-version=2024-10-21',
    key: ['api-key', KEY],
    document: { model: 'm', input: TEXTS, encoding_format: 'base64' },
    query: { model: 'm', input: TEXTS, encoding_format: 'base64' },
    tokens: 7,
  }),
  cohere: (origin) => ({
    config: { ...MODEL, baseUrl: `${origin}/v2`, extraBody: { priority: 3 } },
    path: '/v2/embed',
    key: bearer,
    document: {
      ...{ priority: 3, model: 'm', embedding_types: ['float'], texts: TEXTS },
      ...{ input_type: 'search_document', truncate: 'NONE', output_dimension: 4 },
    },
    query: {
      ...{ priority: 3, model: 'm', embedding_types: ['float'], texts: TEXTS },
      ...{ input_type: 'search_query', truncate: 'NONE', output_dimension: 4 },
    },
    tokens: 7,
  }),
  voyage: (origin) => ({
    config: { ...MODEL, baseUrl: `${origin}/v1`, queryModel: 'm-lite' },
    path: '/v1/embeddings',
    key: bearer,
    document: {
      ...{ truncation: false, input_type: 'document', model: 'm', input: TEXTS },
      ...{ encoding_format: 'base64', output_dimension: 4 },
    },
    query: {
      ...{ truncation: false, input_type: 'query', model: 'm-lite', input: TEXTS },
      ...{ encoding_format: 'base64', output_dimension: 4 },
    },
    tokens: 7,
  }),
  google: (origin) => ({
    config: { ...MODEL, baseUrl: `${origin}/v1beta` },
    path: '/v1beta/models/m:batchEmbedContents',
    key: ['x-goog-api-key', KEY],
    document: {
      requests: TEXTS.map((text) => ({
        ...{ model: 'models/m', content: { role: 'user', parts: [{ text }] } },
        ...{ outputDimensionality: 4, taskType: 'RETRIEVAL_DOCUMENT' },
      })),
    },
    query: {
      requests: TEXTS.map((text) => ({
        ...{ model: 'models/m', content: { role: 'user', parts: [{ text }] } },
        ...{ outputDimensionality: 4, taskType: 'RETRIEVAL_QUERY' },
      })),
    },
  }),
  vertex: () => ({
    config: { ...MODEL, apiKeyEnv: 'GOOGLE_VERTEX_API_KEY', batchSize: 250 },
    path: '/v1/publishers/google/models/m:predict',
    key: ['x-goog-api-key', KEY],
    document: {
      instances: TEXTS.map((content) => ({ content, task_type: 'RETRIEVAL_DOCUMENT' })),
      parameters: { outputDimensionality: 4, autoTruncate: false },
    },
    query: {
      instances: TEXTS.map((content) => ({ content, task_type: 'RETRIEVAL_QUERY' })),
      parameters: { outputDimensionality: 4, autoTruncate: false },
    },
    tokens: 21,
  }),
  bedrock: () => ({
    config: { name: 'cohere.embed-v4:0', dimensions: 4, region: 'eu-central-1' },
    path: '/model/cohere.embed-v4%3A0/invoke',
    key: bearer,
    document: { input_type: 'search_document', texts: TEXTS, truncate: 'NONE' },
    query: { input_type: 'search_query', texts: TEXTS, truncate: 'NONE' },
  }),
  mistral: (origin) => ({
    config: { ...MODEL, baseUrl: `${origin}/v1`, queryPrefix: '' },
    path: '/v1/embeddings',
    key: bearer,
    document: { output_dimension: 4, model: 'm', input: TEXTS, encoding_format: 'base64' },
    query: { output_dimension: 4, model: 'm', input: TEXTS, encoding_format: 'base64' },
    tokens: 7,
  }),
  jina: (origin) => ({
    config: { ...MODEL, baseUrl: `${origin}/v1` },
    path: '/v1/embeddings',
    key: bearer,
    document: {
      ...{ truncate: false, task: 'retrieval.passage', model: 'm', input: TEXTS },
      ...{ encoding_format: 'base64', dimensions: 4 },
    },
    query: {
      ...{ truncate: false, task: 'retrieval.query', model: 'm', input: TEXTS },
      ...{ encoding_format: 'base64', dimensions: 4 },
    },
    tokens: 7,
  }),
  ollama: (origin) => ({
    config: { ...MODEL, baseUrl: `${origin}/api`, extraBody: { keep_alive: '1h' } },
    path: '/api/embed',
    key: bearer,
    document: { keep_alive: '1h', model: 'm', input: TEXTS, truncate: false, dimensions: 4 },
    query: { keep_alive: '1h', model: 'm', input: TEXTS, truncate: false, dimensions: 4 },
    tokens: 7,
  }),
};

function rowOf(provider: string): Row {
  const row = rows[provider]?.(server.origin);
  if (!row) throw new Error(`no row for ${provider}`);
  return row;
}

function embedderOf(provider: string, change: object = {}, env: Record<string, string> = ENV) {
  const { config } = rowOf(provider);
  const model = modelSchema.parse({ provider, ...config, ...change });
  return createModels({ env, keys: KEYS, fetch: toServer }).embedder(model);
}

async function failureOf(provider: string, answer: WireAnswer): Promise<ReembedError> {
  server.answer(() => answer);
  const thrown: unknown = await embedderOf(provider)
    .embed(['a lion'], { purpose: 'document' })
    .catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(ReembedError);
  return thrown as ReembedError;
}

describe.each(Object.keys(rows))('the provider %s', (provider) => {
  test.each(['document', 'query'] as const)('is called as its interface says for a %s', async (purpose) => {
    const row = rowOf(provider);
    const tokens: number[] = [];
    const onUsage = (used: number) => tokens.push(used);
    const vectors = await embedderOf(provider).embed(TEXTS, { purpose, onUsage });
    expect(vectors.map((vector) => [...vector])).toEqual(TEXTS.map((text) => vectorOfText(text)));
    expect(server.requests.map(({ path }) => path)).toEqual([row.path]);
    expect(server.requests[0]?.headers[row.key[0]]).toBe(row.key[1]);
    expect(server.requests[0]?.body).toEqual(row[purpose]);
    expect(tokens).toEqual(row.tokens === undefined ? [] : [row.tokens]);
  });

  test('adds the prefixes of its model and scales vectors when it should', async () => {
    const embedder = embedderOf(provider, { documentPrefix: 'doc: ', normalize: true });
    const [vector = []] = await embedder.embed(['a lion'], { purpose: 'document' });
    const raw = vectorOfText('doc: a lion');
    const length = Math.hypot(...raw);
    for (const [at, value] of [...vector].entries()) expect(value).toBeCloseTo((raw[at] ?? 0) / length, 5);
  });

  test.each([
    [401, 'ModelUnauthorized'],
    [403, 'ModelUnauthorized'],
    [404, 'ModelNotFound'],
    [422, 'ModelRejectedInput'],
    [429, 'ModelRateLimited'],
    [500, 'ModelUnavailable'],
  ])('has failed with HTTP %s when it is %s, without the key or a text', async (status, type) => {
    const error = await failureOf(provider, {
      status,
      body: { message: `no ${KEY} a lion`, error: `no ${KEY} a lion` },
    });
    expect(error.type).toBe(type);
    expect(error.message).not.toContain(KEY);
    expect(error.message).not.toContain('a lion');
  });

  test.each([
    ['nothing', ''],
    ['something that is not JSON', '<html>'],
    ['no vectors', {}],
  ])('has given a bad answer when it is %s', async (_, body) => {
    expect((await failureOf(provider, { status: 200, body })).type).toBe('ModelBadAnswer');
  });
});

test.each(['cohere', 'google', 'mistral', 'ollama'])(
  'no key is sent to an endpoint of %s without one',
  async (provider) => {
    const { apiKeyEnv: _, ...config } = rowOf(provider).config;
    const model = modelSchema.parse({ provider, ...config });
    await createModels({ env: {}, keys: KEYS }).embedder(model).embed(['a lion'], { purpose: 'document' });
    const headers = server.requests[0]?.headers ?? {};
    expect([headers.authorization, headers['x-goog-api-key']]).toEqual([undefined, undefined]);
  },
);

test('Bedrock is called with a signature if the process has an access key', async () => {
  const env = { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'session' };
  const embedder = embedderOf('bedrock', { name: 'amazon.titan-embed-text-v2:0' }, env);
  expect(embedder.maxTexts).toBe(1);
  await embedder.embed(['a lion'], { purpose: 'query' });
  const [request] = server.requests;
  expect(request?.body).toEqual({ inputText: 'a lion' });
  expect(request?.headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIATEST\/\d{8}\/eu-central-1\/bedrock\//,
  );
  expect(request?.headers['x-amz-security-token']).toBe('session');
});

test('Bedrock refuses dimensions that its model does not have before anything is called', () => {
  expect(() => embedderOf('bedrock', { sendDimensions: true })).toThrow('can be shortened to 256, 512, 1024, 1536');
});

test('Bedrock without keys is refused by the names of the variables', async () => {
  await expect(embedderOf('bedrock', {}, {}).embed(['a lion'], { purpose: 'query' })).rejects.toMatchObject({
    type: 'ModelUnauthorized',
    message: expect.stringContaining('AWS_BEARER_TOKEN_BEDROCK'),
  });
});

test("Google's delay of a retry and its answer to an invalid key are understood", async () => {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '21.5s' }];
  const slow = { error: { code: 429, message: 'Resource has been exhausted', status: 'RESOURCE_EXHAUSTED', details } };
  expect(await failureOf('google', { status: 429, body: slow })).toMatchObject({
    type: 'ModelRateLimited',
    retryAfterMs: 21_500,
  });
  const key = {
    error: { code: 400, message: 'API key not valid. Please pass a valid API key.', status: 'INVALID_ARGUMENT' },
  };
  expect((await failureOf('google', { status: 400, body: key })).type).toBe('ModelUnauthorized');
});

test.each([
  ['cohere', 429, { message: 'You are using a Trial key, which is limited to 1000 API calls / month.' }],
  ['jina', 403, { detail: 'Insufficient account balance. Recharge your API key.' }],
])('an exhausted quota of %s is distinguished from a pause', async (provider, status, body) => {
  expect((await failureOf(provider, { status, body })).type).toBe('ModelQuotaUsedUp');
});

describe('a provider whose package is missing', () => {
  test.each([
    ['azure', 'npm install @ai-sdk/azure@3'],
    ['cohere', 'npm install @ai-sdk/cohere@3'],
    ['google', 'npm install @ai-sdk/google@3'],
    ['vertex', 'npm install @ai-sdk/google-vertex@4'],
    ['bedrock', 'npm install @ai-sdk/amazon-bedrock@4'],
    ['mistral', 'npm install @ai-sdk/mistral@3'],
  ])('is refused before anything is called: %s', (provider, command) => {
    const { config } = rowOf(provider);
    const models = createModels({ env: ENV, keys: KEYS, hasPackage: () => false });
    const create = () => models.embedder(modelSchema.parse({ provider, ...config }));
    expect(create).toThrow(command);
    expect(create).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ path: 'provider' })] }));
  });
});
