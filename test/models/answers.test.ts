import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PartialAnswer } from '../../src/contract/embedder.ts';
import { ReembedError } from '../../src/contract/errors.ts';
import { modelSchema } from '../../src/contract/models.ts';
import { createModels } from '../../src/models/models.ts';
import { answerLimit } from '../../src/models/read-body.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const TEXTS = ['a', 'b', 'c'];

let answer: (body: Record<string, unknown>) => {
  status?: number;
  body: string | Buffer;
  headers?: Record<string, string>;
};
let asked: Record<string, unknown>[];
let url: string;
const server = createServer(async (request, response) => {
  let raw = '';
  for await (const chunk of request) raw += chunk;
  const body = JSON.parse(raw);
  asked.push(body);
  const { status = 200, body: text, headers = {} } = answer(body);
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
});

beforeEach(async () => {
  asked = [];
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function embedder(config: object = {}) {
  const model = { provider: 'openai', name: 'm', dimensions: 2, baseUrl: url, ...config };
  return createModels({ env: {} }).embedder(modelSchema.parse(model));
}

/** The vectors as lists, those of a partial answer with null, or the type of the error. */
async function embed(texts: readonly string[], config?: object): Promise<unknown> {
  try {
    const vectors = await embedder(config).embed(texts, { purpose: 'document' });
    return vectors.map((vector) => [...vector]);
  } catch (error) {
    if (error instanceof PartialAnswer) return error.vectors.map((vector) => vector && [...vector]);
    if (error instanceof ReembedError) return error.type;
    throw error;
  }
}

const items = (...data: unknown[]) => ({ body: JSON.stringify({ data }) });
const base64 = (...numbers: number[]) => Buffer.from(Float32Array.from(numbers).buffer).toString('base64');
const item = (index: unknown, first: number) => ({ index, embedding: [first, 1] });
const VECTORS = [
  [1, 1],
  [2, 1],
  [3, 1],
];

describe('an answer is assigned to the texts by its indexes', () => {
  test.each([
    ['without any index', items({ embedding: [1, 1] }, { embedding: [2, 1] }, { embedding: [3, 1] }), VECTORS],
    ['in order', items(item(0, 1), item(1, 2), item(2, 3)), VECTORS],
    ['in another order', items(item(2, 3), item(0, 1), item(1, 2)), VECTORS],
    ['with the same index', items(item(0, 1), item(0, 2), item(0, 3)), 'ModelBadAnswer'],
    ['with an index twice', items(item(0, 1), item(1, 2), item(1, 3)), 'ModelBadAnswer'],
    ['counted from 1', items(item(1, 1), item(2, 2), item(3, 3)), 'ModelBadAnswer'],
    ['far out of range', items(item(1_000, 1), item(1_001, 2), item(1_002, 3)), 'ModelBadAnswer'],
    ['with a negative index', items(item(-1, 1), item(0, 2), item(1, 3)), 'ModelBadAnswer'],
    ['with an index that is not a whole number', items(item(0, 1), item(0.5, 2), item(2, 3)), 'ModelBadAnswer'],
    ['with indexes that are texts', items(item('0', 1), item('1', 2), item('2', 3)), 'ModelBadAnswer'],
    ['with an index missing for some', items({ embedding: [1, 1] }, item(1, 2), item(2, 3)), 'ModelBadAnswer'],
    ['with an index that is null', items(item(null, 1), item(1, 2), item(2, 3)), 'ModelBadAnswer'],
    ['with too few items', items(item(0, 1), item(1, 2)), 'ModelBadAnswer'],
    ['with too many items', items(item(0, 1), item(1, 2), item(2, 3), item(3, 4)), 'ModelBadAnswer'],
    ['with none', items(), 'ModelBadAnswer'],
  ])('%s', async (_, given, expected) => {
    answer = () => given;
    expect(await embed(TEXTS)).toEqual(expected);
  });

  test(`any order of the right indexes gives each text its vector, and no other list of indexes gives any (SEED=${seed})`, async () => {
    const index = fc.oneof(fc.integer({ min: -1, max: 4 }), fc.constantFrom('0', 1.5, null, undefined, true));
    const property = fc.asyncProperty(fc.array(index, { minLength: 3, maxLength: 3 }), async (indexes) => {
      answer = () => items(...indexes.map((at, place) => item(at, typeof at === 'number' ? at : place)));
      const isPermutation = [...indexes].sort().join() === '0,1,2' && indexes.every((at) => typeof at === 'number');
      const isAbsent = indexes.every((at) => at === undefined);
      const right =
        isPermutation || isAbsent
          ? [
              [0, 1],
              [1, 1],
              [2, 1],
            ]
          : 'ModelBadAnswer';
      expect(await embed(TEXTS)).toEqual(right);
    });
    await fc.assert(property, { seed, numRuns: 60 });
  });
});

describe('an invalid vector is never accepted', () => {
  test.each([
    ['null', null],
    ['nothing', undefined],
    ['empty', []],
    ['of null', [null, 1]],
    ['of texts', ['1', '2']],
    ['too short', [1]],
    ['too long', [1, 2, 3]],
    ['an object', { 0: 1, 1: 2 }],
    ['a number', 5],
    ['an empty text', ''],
    ['bytes that are cut off', base64(1, 2).slice(0, 8)],
    ['bytes of too few numbers', base64(1)],
    ['bytes of too many numbers', base64(1, 2, 3)],
    ['bytes that are no base64', '!!!!!!!!!!!'],
    ['bytes of NaN', base64(Number.NaN, 1)],
    ['bytes of an infinite number', base64(1, Number.POSITIVE_INFINITY)],
  ])('a vector that is %s does not affect the others', async (_, embedding) => {
    answer = () => items(item(0, 1), { index: 1, embedding }, item(2, 3));
    expect(await embed(TEXTS)).toEqual([[1, 1], null, [3, 1]]);
  });

  test('an item that is not an object does not affect the others where no item has an index', async () => {
    answer = () => items({ embedding: [1, 1] }, null, { embedding: [3, 1] });
    expect(await embed(TEXTS)).toEqual([[1, 1], null, [3, 1]]);
  });

  test('numbers and bytes are accepted in one answer', async () => {
    answer = () => items(item(0, 1), { index: 1, embedding: base64(2, 1) }, item(2, 3));
    expect(await embed(TEXTS)).toEqual(VECTORS);
  });

  test('the same wrong number of dimensions for all texts is ModelWrongDimension', async () => {
    answer = () => items(...TEXTS.map((_, index) => ({ index, embedding: [1, 2, 3] })));
    expect(await embed(TEXTS)).toBe('ModelWrongDimension');
  });

  test('different wrong numbers of dimensions are ModelBadAnswer', async () => {
    answer = () => items(...TEXTS.map((_, index) => ({ index, embedding: new Array(index + 3).fill(1) })));
    expect(await embed(TEXTS)).toBe('ModelBadAnswer');
  });
});

describe('an answer without vectors', () => {
  test.each([
    ['HTML', '<html>welcome</html>', 'ModelBadAnswer'],
    ['cut off', '{"data":[{"embedding":[0.1,', 'ModelBadAnswer'],
    ['empty', '', 'ModelBadAnswer'],
    ['null', 'null', 'ModelBadAnswer'],
    ['another object', '{"models":[]}', 'ModelBadAnswer'],
    ['NaN as a word', '{"data":[{"embedding":[NaN,1]}]}', 'ModelBadAnswer'],
    ['an error', '{"error":{"message":"boom"}}', 'ModelUnavailable'],
    ['an error with a status', '{"error":{"message":"no","code":400}}', 'ModelRejectedInput'],
    ['a rate limit', '{"error":{"message":"slow down","code":"rate_limit_exceeded"}}', 'ModelRateLimited'],
    ['a used-up quota', '{"error":{"message":"no money","code":"insufficient_quota"}}', 'ModelQuotaUsedUp'],
  ])('%s with status 200 is recognized', async (_, body, type) => {
    answer = () => ({ body });
    expect(await embed(['a'])).toBe(type);
  });

  test.each([
    [
      429,
      {
        message: 'You exceeded your current quota, please check your plan and billing details.',
        code: 'insufficient_quota',
      },
      {},
      'ModelQuotaUsedUp',
    ],
    [
      429,
      { message: 'You exceeded your current quota, please check your plan and billing details.' },
      {},
      'ModelQuotaUsedUp',
    ],
    [
      429,
      { message: 'You exceeded your current quota, please check your plan.' },
      { 'retry-after': '7' },
      'ModelRateLimited',
    ],
    [429, { message: 'Quota exceeded for requests per minute' }, {}, 'ModelRateLimited'],
    [403, { message: 'billing_not_active' }, {}, 'ModelQuotaUsedUp'],
    [400, { message: 'Your credit balance is too low to access the API' }, {}, 'ModelQuotaUsedUp'],
    [402, { message: 'pay' }, {}, 'ModelQuotaUsedUp'],
    [401, { message: 'wrong key' }, {}, 'ModelUnauthorized'],
    [403, { message: 'not for you' }, {}, 'ModelUnauthorized'],
    [403, { message: 'Quota exceeded for the project' }, {}, 'ModelQuotaUsedUp'],
    [403, { message: 'Quota exceeded for calls per minute' }, {}, 'ModelRateLimited'],
    [403, { errors: [{ reason: 'dailyLimitExceeded' }], message: 'Daily limit' }, {}, 'ModelQuotaUsedUp'],
    [403, { errors: [{ reason: 'userRateLimitExceeded' }], message: 'Slow down' }, {}, 'ModelRateLimited'],
    [403, { status: 'RESOURCE_EXHAUSTED', message: 'exhausted' }, {}, 'ModelRateLimited'],
    [404, { message: 'no such model' }, {}, 'ModelNotFound'],
  ])('%i %j is %s', async (status, error, headers, type) => {
    answer = () => ({ status, body: JSON.stringify({ error }), headers });
    expect(await embed(['a'])).toBe(type);
  });
});

describe('the size of an answer', () => {
  test.each(['plain', 'compressed'])('has a limit, %s', async (how) => {
    const big = Buffer.alloc(64 * 1024 * 1024, ' ');
    const body = how === 'plain' ? big : gzipSync(big);
    answer = () => ({ body, headers: { 'content-encoding': how === 'plain' ? 'identity' : 'gzip' } });
    const error = await embedder()
      .embed(['a'], { purpose: 'query' })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ type: 'ModelBadAnswer', message: expect.stringContaining('more than') });
  });

  test('is small for a refusal: only its beginning is read', async () => {
    answer = () => ({ status: 500, body: Buffer.alloc(64 * 1024 * 1024, 'x') });
    const error = await embedder()
      .embed(['a'], { purpose: 'query' })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ type: 'ModelUnavailable' });
    expect((error as Error).message.length).toBeLessThan(500);
  });

  test('allows the requested vectors in any notation', () => {
    for (const [texts, dimensions] of [
      [1, 8],
      [128, 1_536],
      [2_048, 3_072],
      [3, 16_000],
    ] as const) {
      const vector = Array.from({ length: dimensions }, () => -1.234567890123456e-101);
      const one = JSON.stringify({ data: [{ object: 'embedding', index: 2_000, embedding: vector }] }, null, 4).length;
      expect(answerLimit(texts, dimensions)).toBeGreaterThan(texts * one);
    }
    expect(answerLimit(1, 8)).toBeLessThan(1024 * 1024);
    expect(answerLimit(128, 8)).toBeLessThan(32 * 1024 * 1024);
  });
});

describe('a provider that refuses a field', () => {
  const refusing = (field: string, message: string) => (body: Record<string, unknown>) =>
    field in body
      ? { status: 400, body: JSON.stringify({ error: { message } }) }
      : items(...(body.input as string[]).map((_, index) => item(index, index)));

  test.each([
    ['encoding_format', 'encoding_format is not supported by this model'],
    ['encoding_format', 'Bad Request'],
    ['dimensions', 'This model does not support specifying dimensions.'],
    ['dimensions', 'Bad Request'],
  ])('refuses %s with "%s", and is then asked without the field from the start', async (field, message) => {
    answer = refusing(field, message);
    const asking = embedder({ sendDimensions: true });
    await asking.embed(['a'], { purpose: 'document' });
    const before = asked.length;
    await asking.embed(['a'], { purpose: 'document' });
    expect(asked.length).toBe(before + 1);
    expect(asked.at(-1)).not.toHaveProperty(field);
    expect(before).toBeLessThanOrEqual(4);
  });

  test('is not asked in other ways when it names the size of the call', async () => {
    answer = () => ({ status: 400, body: '{"error":{"message":"batch size should not be larger than 2"}}' });
    expect(await embed(TEXTS)).toBe('ModelRejectedInput');
    expect(asked).toHaveLength(1);
  });

  test('is asked in other ways only a few times when it gives no reason', async () => {
    answer = () => ({ status: 400, body: '{}' });
    const asking = embedder();
    for (let call = 0; call < 10; call++) await asking.embed(['a'], { purpose: 'document' }).catch(() => {});
    expect(asked).toHaveLength(3 * 3 + 7);
  });
});

test.each([
  ['name', { name: 'x'.repeat(201) }],
  ['baseUrl', { baseUrl: `http://h/${'x'.repeat(2_000)}` }],
  ['apiKeyEnv', { apiKeyEnv: 'X'.repeat(201) }],
])('%s has a length', (field, config) => {
  const model = { provider: 'openai', name: 'm', dimensions: 2, ...config };
  expect(modelSchema.safeParse(model).error?.issues[0]?.path).toEqual([field]);
});
