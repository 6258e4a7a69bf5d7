import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EmbedPurpose } from '../../src/contract/embedder.ts';
import { ReembedError } from '../../src/contract/errors.ts';
import { type ModelKey, modelKeyOf, withWellKnown } from '../../src/contract/model-keys.ts';
import { modelSchema } from '../../src/contract/models.ts';
import { createModels } from '../../src/models/models.ts';
import { type Behaviour, type EmbeddingServer, inTurn, startEmbeddingServer } from '../support/embedding-server.ts';

const KEY = 'sk-test-0123456789abcdef';
const KEYS = withWellKnown([modelKeyOf('TEST_KEY=127.0.0.1') as ModelKey]);
let server: EmbeddingServer;

beforeEach(async () => {
  server = await startEmbeddingServer({ dimensions: 4, apiKey: KEY });
});
afterEach(() => server.close());

function embedderWith(config: object = {}, env: Record<string, string> = { TEST_KEY: KEY }) {
  const model = { provider: 'openai', name: 'm', dimensions: 4, baseUrl: server.url, apiKeyEnv: 'TEST_KEY', ...config };
  return createModels({ env, keys: KEYS }).embedder(modelSchema.parse(model));
}

async function failure(config: object = {}, texts = ['a lion'], env?: Record<string, string>): Promise<ReembedError> {
  const error = await embedderWith(config, env)
    .embed(texts, { purpose: 'document' })
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  expect(error).toBeInstanceOf(ReembedError);
  return error as ReembedError;
}

async function failureOf(behaviour: Behaviour, texts?: string[]): Promise<ReembedError> {
  server.behave(() => behaviour);
  return failure({}, texts);
}

const TEXTS = ['one', 'two', '', '","encoding_format":"float"'];

test('texts become vectors in order, by one request for single-precision bytes, with the key', async () => {
  const vectors = await embedderWith().embed(TEXTS, { purpose: 'document' });
  expect(vectors).toEqual(TEXTS.map((text) => Float32Array.from(server.vectorOf(text))));
  expect(server.requests).toHaveLength(1);
  expect(server.requests[0]?.body).toEqual({ model: 'm', input: TEXTS, encoding_format: 'base64' });
  expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
});

describe('an endpoint without base64', () => {
  const embedTwice = async (base64: 'refuses' | 'ignores') => {
    await server.close();
    server = await startEmbeddingServer({ dimensions: 4, apiKey: KEY, base64 });
    const embedder = embedderWith();
    for (const _time of [1, 2]) {
      expect(await embedder.embed(TEXTS, { purpose: 'document' })).toEqual(TEXTS.map(server.vectorOf));
    }
    return server.requests.map(({ body }) => body.encoding_format);
  };

  test('is asked for numbers from the start after it refused base64', async () => {
    expect(await embedTwice('refuses')).toEqual(['base64', 'float', 'float']);
  });

  test('is found out after some failures that say nothing', async () => {
    server.behave(({ body }) =>
      'encoding_format' in body ? { kind: 'error', status: 500, message: 'internal' } : undefined,
    );
    const embedder = embedderWith();
    const embed = () => embedder.embed(TEXTS, { purpose: 'document' }).catch(({ type }: ReembedError) => type);
    const outcomes = [await embed(), await embed(), await embed(), await embed(), await embed()];
    expect(outcomes).toEqual([...Array(3).fill('ModelUnavailable'), ...Array(2).fill(TEXTS.map(server.vectorOf))]);
  });

  test('may answer with numbers anyway', async () => {
    expect(await embedTwice('ignores')).toEqual(['base64', 'base64']);
  });

  test('is not assumed after a refusal by an endpoint that has answered with base64', async () => {
    const embedder = embedderWith();
    await embedder.embed(['fine'], { purpose: 'document' });
    server.behave(() => ({ kind: 'error', status: 400 }));
    await expect(embedder.embed(['bad'], { purpose: 'document' })).rejects.toThrow('rejects the input');
    expect(server.counts.requests).toBe(2);
  });
});

test('bytes that are not a vector are ModelBadAnswer or ModelWrongDimension', async () => {
  const answer = (embedding: string) => ({ kind: 'raw', status: 200, body: JSON.stringify({ data: [{ embedding }] }) });
  expect((await failureOf(answer('AAAAAAA=') as Behaviour)).type).toBe('ModelBadAnswer');
  expect((await failureOf(answer('AAAAAA==') as Behaviour)).type).toBe('ModelWrongDimension');
});

test('vectors in another order go to the texts that their index names', async () => {
  const data = [2, 0, 1].map((index) => ({ index, embedding: [index, 0, 0, 0] }));
  server.behave(() => ({ kind: 'raw', status: 200, body: JSON.stringify({ data }) }));
  const vectors = await embedderWith().embed(['a', 'b', 'c'], { purpose: 'document' });
  expect(vectors.map(([first]) => first)).toEqual([0, 1, 2]);
});

test('dimensions are sent only when asked for', async () => {
  await embedderWith({ sendDimensions: true }).embed(['x'], { purpose: 'query' });
  expect(server.requests[0]?.body.dimensions).toBe(4);
});

test.each([
  ['query', 'query: x'],
  ['document', 'passage: x'],
] satisfies [EmbedPurpose, string][])('a %s gets its prefix', async (purpose, sent) => {
  await embedderWith({ queryPrefix: 'query: ', documentPrefix: 'passage: ' }).embed(['x'], { purpose });
  expect(server.requests[0]?.texts).toEqual([sent]);
});

test('limits of a call come from the config', () => {
  expect(embedderWith({ batchSize: 7, batchChars: 1234 })).toMatchObject({
    dimensions: 4,
    maxTexts: 7,
    maxChars: 1234,
  });
});

describe('keys', () => {
  test('a missing key is named and no request is made', async () => {
    const error = await failure({}, ['x'], {});
    expect(error.type).toBe('ModelUnauthorized');
    expect(error.message).toContain('TEST_KEY');
    expect(server.counts.requests).toBe(0);
  });

  test('the key is read at each call', async () => {
    const env: Record<string, string> = {};
    const embedder = embedderWith({}, env);
    await expect(embedder.embed(['x'], { purpose: 'query' })).rejects.toMatchObject({ type: 'ModelUnauthorized' });
    env.TEST_KEY = ` ${KEY}\n`;
    await expect(embedder.embed(['x'], { purpose: 'query' })).resolves.toHaveLength(1);
  });

  test('a key that no header can carry is refused without being shown', async () => {
    const error = await failure({}, ['x'], { TEST_KEY: 'secret\nvalue' });
    expect(error.type).toBe('ModelUnauthorized');
    expect(error.message).not.toContain('secret');
  });

  test.each(['REEMBED_ENCRYPTION_KEYS', 'TEMPORAL_API_KEY', 'DATABASE_URL', 'PGPASSWORD'])(
    '%s is never sent to a provider',
    (name) => {
      expect(() => embedderWith({ apiKeyEnv: name }, { [name]: 'secret' })).toThrow(
        expect.objectContaining({ type: 'ModelRefused', message: expect.not.stringContaining('secret') }),
      );
    },
  );

  test('no key goes to a host other than OpenAI without apiKeyEnv', async () => {
    const error = await failure({ apiKeyEnv: undefined }, ['x'], { OPENAI_API_KEY: KEY });
    expect(error.type).toBe('ModelUnauthorized');
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
  });

  test('a refused key is not in the message although the provider repeats it', async () => {
    const wrong = 'oddly-shaped.secret/value';
    const error = await failure({}, ['x'], { TEST_KEY: wrong });
    expect(error.type).toBe('ModelUnauthorized');
    expect(error.message).toContain('HTTP 401');
    expect(error.message).not.toContain('secret');
  });

  test('an address with a password in it is refused', () => {
    const baseUrl = server.url.replace('http://', 'http://user:hidden@');
    expect(() => embedderWith({ baseUrl })).toThrow(expect.objectContaining({ type: 'InvalidInput' }));
    expect(() => embedderWith({ baseUrl })).not.toThrow(/hidden/);
  });
});

describe('errors', () => {
  test.each([
    [400, 'ModelRejectedInput'],
    [401, 'ModelUnauthorized'],
    [402, 'ModelQuotaUsedUp'],
    [403, 'ModelUnauthorized'],
    [404, 'ModelNotFound'],
    [408, 'ModelUnavailable'],
    [413, 'ModelRejectedInput'],
    [422, 'ModelRejectedInput'],
    [429, 'ModelRateLimited'],
    [500, 'ModelUnavailable'],
    [502, 'ModelUnavailable'],
    [503, 'ModelUnavailable'],
  ])('status %i is %s', async (status, type) => {
    const error = await failureOf({ kind: 'error', status, message: 'because of this' });
    expect(error.type).toBe(type);
    expect(error.message).toContain('because of this');
    expect(error.retryAfterMs).toBeUndefined();
    // An error that may be about base64 is retried with numbers and without the field.
    expect(server.counts.requests).toBe([400, 422].includes(status) ? 3 : 1);
  });

  test.each([
    [429, 'ModelRateLimited'],
    [503, 'ModelRateLimited'],
    [500, 'ModelUnavailable'],
  ])('status %i with Retry-After is %s and says how long to wait', async (status, type) => {
    const error = await failureOf({ kind: 'error', status, headers: { 'retry-after': '7' } });
    expect(error).toMatchObject({ type, retryAfterMs: 7_000 });
  });

  test('the messages of servers with another error format are kept', async () => {
    const error = await failureOf({ kind: 'raw', status: 413, body: '{"detail":"batch too large","code":413}' });
    expect(error).toMatchObject({ type: 'ModelRejectedInput', message: expect.stringContaining('batch too large') });
  });

  test.each([
    ['no JSON', '<html>welcome</html>'],
    ['no embeddings', '{"models":[]}'],
    ['cut off', '{"data":[{"embedding":[0.1,'],
  ])('an answer that is %s is ModelBadAnswer', async (_, body) => {
    expect((await failureOf({ kind: 'raw', status: 200, body })).type).toBe('ModelBadAnswer');
  });

  test('a closed connection and a closed port are ModelUnavailable', async () => {
    expect((await failureOf({ kind: 'disconnect' })).type).toBe('ModelUnavailable');
    await server.close();
    const error = await failure();
    expect(error.type).toBe('ModelUnavailable');
    expect(error.message).toContain('ECONNREFUSED');
  });

  test('wrong dimensions are reported with both numbers', async () => {
    const error = await failureOf({ kind: 'wrongDimension', dimensions: 3 });
    expect(error.type).toBe('ModelWrongDimension');
    expect(error.message).toMatch(/\b3\b.*\b4\b/);
  });

  test('a missing vector is reported with both numbers', async () => {
    const error = await failureOf({ kind: 'missingVector' }, ['one', 'two']);
    expect(error.type).toBe('ModelBadAnswer');
    expect(error.message).toMatch(/\b1 vectors for 2 texts/);
  });

  test.each(['null', '1e999', '"1"', 'NaN'])('%s in a vector is ModelBadAnswer', async (value) => {
    const error = await failureOf({ kind: 'raw', status: 200, body: `{"data":[{"embedding":[0.1,${value},0,0]}]}` });
    expect(error.type).toBe('ModelBadAnswer');
  });

  test('messages are short and contain neither texts nor causes', async () => {
    const secret = 'Patient "Jane Doe" was admitted\non Monday with a rare illness';
    const quoted = `cannot embed ${secret} nor ${JSON.stringify(secret)} nor ${secret.slice(0, 30)}… ${'x'.repeat(5000)}`;
    const error = await failureOf({ kind: 'error', status: 400, message: quoted }, ['fine', secret]);
    expect(error.message).toContain('cannot embed [text]');
    expect(error.message).not.toMatch(/Patient|Jane|Monday|illness/);
    expect(error.message.length).toBeLessThan(400);
    expect(error.cause).toBeUndefined();
  });
});

describe('time', () => {
  test('no answer within timeoutMs is ModelUnavailable', async () => {
    server.behave(inTurn({ kind: 'hang' }));
    const error = await failure({ timeoutMs: 1_000 });
    expect(error).toMatchObject({
      type: 'ModelUnavailable',
      reason: 'timeout',
      message: expect.stringContaining('1000 ms'),
    });
  });

  test("the caller's abort ends a call immediately, with its own reason", async () => {
    server.behave(() => ({ kind: 'hang' }));
    const controller = new AbortController();
    const reason = new Error('the worker stops');
    const call = embedderWith().embed(['x'], { purpose: 'document', signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);
    await expect(call).rejects.toBe(reason);
  });

  test('an already aborted call makes no request', async () => {
    const reason = new Error('too late');
    const call = embedderWith().embed(['x'], { purpose: 'document', signal: AbortSignal.abort(reason) });
    await expect(call).rejects.toBe(reason);
    expect(server.counts.requests).toBe(0);
  });
});
