import { describe, expect, test } from 'vitest';
import { type Embedder, PartialAnswer } from '../../src/contract/embedder.ts';
import { type ErrorType, ReembedError } from '../../src/contract/errors.ts';
import { EmbedSession } from '../../src/pipeline/embed.ts';
import { behaving, embedParts, objectOf, options } from './embedding.ts';
import { fakeEmbedder, rejectionOf, textVector } from './support.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);

const many = (count: number, bad = -1) =>
  Array.from({ length: count }, (_, at) => objectOf(`o${at}`, at === bad ? 'poison' : `text ${at}`));
const failedOf = (embedded: Awaited<ReturnType<typeof embedParts>>) =>
  embedded.flatMap((one) => ('failed' in one ? [{ id: one.id, reason: one.failed.reason }] : []));

describe.each<ErrorType>(['ModelUnavailable', 'ModelBadAnswer', 'ModelWrongDimension'])('%s', (type) => {
  test('costs one more call and fails nothing when it happens once', async () => {
    const { embedder, calls } = behaving((_, call) => {
      if (call === 2) throw new ReembedError(type, 'a glitch');
    });
    const embedded = await embedParts(many(120), { ...embedder, maxTexts: 40 }, { ...options, concurrency: 1 });
    expect(failedOf(embedded)).toEqual([]);
    expect(calls).toHaveLength(4);
  });

  test.each([1, 2, 7, 50, 100])('fails only the one text among %i that causes it', async (count) => {
    const { embedder, calls } = behaving((texts, call) => {
      if (texts.includes('poison') && call > 0) throw new ReembedError(type, 'the text is too much');
    });
    // A text causes a wrong dimension only if the model has answered correctly before.
    const primed = [{ id: 'first', parts: [{ text: 'x'.repeat(99_999) }] }, ...many(count, Math.floor(count / 2))];
    const embedded = await embedParts(primed, embedder, { ...options, concurrency: 1 });
    // The model is known to have the right dimension for other texts: this is one bad answer.
    const reason = type === 'ModelWrongDimension' ? 'ModelBadAnswer' : type;
    expect(failedOf(embedded)).toEqual([{ id: `o${Math.floor(count / 2)}`, reason }]);
    expect(calls.length).toBeLessThanOrEqual(7 + 1 + 2 * Math.ceil(Math.log2(count)));
  });

  test('stops after a few calls and fails no text when the model itself causes it', async () => {
    const { embedder, calls } = behaving(() => {
      throw new ReembedError(type, 'down');
    });
    await rejectionOf(embedParts(many(500), embedder, options), type);
    expect(calls.length).toBeLessThanOrEqual(6);
  });
});

test('received vectors are kept when another call stops the work, and only the rest is requested again', async () => {
  let isOpen = false;
  const { embedder, calls } = behaving(
    (_, call) => {
      if (call > 3 && !isOpen) throw new ReembedError('ModelRateLimited', 'slow down', { retryAfterMs: 10 });
    },
    { maxTexts: 10 },
  );
  const session = new EmbedSession(many(100), embedder, { ...options, concurrency: 1 });
  expect(await session.run()).toMatchObject({ type: 'ModelRateLimited' });
  expect(session.take()).toHaveLength(30);
  expect(session.left).toHaveLength(70);
  isOpen = true;
  session.drop('o99');
  expect(await session.run()).toBeNull();
  expect(session.take()).toHaveLength(69);
  expect(calls.flat()).toHaveLength(10 + 99);
});

test('all texts are embedded when one call in five fails', async () => {
  let state = seed;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  const { embedder } = behaving(
    () => {
      if (random() < 0.2) throw new ReembedError('ModelUnavailable', 'HTTP 500');
    },
    { maxTexts: 8 },
  );
  const session = new EmbedSession(many(128), embedder, options);
  // The model may seem down now and then: then it is asked again.
  for (let runs = 0; (await session.run()) !== null; runs++) expect(runs).toBeLessThan(30);
  expect(failedOf(session.take())).toEqual([]);
});

test('an answer that is correct for some texts gives them their vectors', async () => {
  const { embedder, calls } = behaving((texts) => {
    if (texts.length < 5) return;
    throw new PartialAnswer(
      'one vector is empty',
      texts.map((text, at) => (at === 3 ? null : textVector(text))),
    );
  });
  expect(failedOf(await embedParts(many(8), embedder, options))).toEqual([]);
  expect(calls.map((texts) => texts.length)).toEqual([8, 1]);
});

test('a call that must not wait is not repeated either', async () => {
  const { embedder, calls } = behaving(() => {
    throw new ReembedError('ModelUnavailable', 'no answer');
  });
  await rejectionOf(embedParts(many(8), embedder, { ...options, maxWaitMs: 10 }), 'ModelUnavailable');
  expect(calls).toHaveLength(1);
});

test('an aborted signal rejects with its reason, before and during the calls', async () => {
  const controller = new AbortController();
  const { embedder, calls } = fakeEmbedder({ maxTexts: 1 });
  const objects = Array.from({ length: 1_000 }, (_, at) => objectOf(`o${at}`, `t${at}`));
  setTimeout(() => controller.abort(new Error('canceled')), 5);
  await expect(embedParts(objects, embedder, { ...options, signal: controller.signal })).rejects.toThrow('canceled');
  const before = calls.length;
  await expect(embedParts(objects, embedder, { ...options, signal: controller.signal })).rejects.toThrow('canceled');
  expect(calls.length).toBe(before);
});

test('a vector without direction fails its object for cosine only', async () => {
  const { embedder } = fakeEmbedder({ embed: (text) => (text === 'nil' ? [0, 0, 0] : textVector(text)) });
  const objects = [objectOf('a', 'fine', 'nil'), objectOf('b', 'fine')];
  expect(await embedParts(objects, embedder, options)).toMatchObject([
    { id: 'a', failed: { stage: 'embed', reason: 'ZeroVector' } },
    { id: 'b', vectors: [textVector('fine')] },
  ]);
  expect(await embedParts(objects, embedder, { ...options, metric: 'l2' })).toMatchObject([
    { id: 'a', vectors: [textVector('fine'), [0, 0, 0]] },
    { id: 'b' },
  ]);
});

test('a model defined in code that violates its contract is detected', async () => {
  const wrong = fakeEmbedder({ embed: () => [1, 2] }).embedder;
  await rejectionOf(embedParts([objectOf('a', 'x')], wrong, options), 'ModelWrongDimension');
  const short: Embedder = { ...wrong, embed: async () => [] };
  await rejectionOf(embedParts([objectOf('a', 'x')], short, options), 'ModelBadAnswer');
  const strange = fakeEmbedder({ embed: () => [1, Number.NaN, 0] }).embedder;
  expect(await embedParts([objectOf('a', 'x')], strange, options)).toMatchObject([
    { failed: { reason: 'InvalidVector' } },
  ]);
});
