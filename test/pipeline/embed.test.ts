import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Embedder, PartialAnswer } from '../../src/contract/embedder.ts';
import { type ErrorType, ReembedError } from '../../src/contract/errors.ts';
import { type EmbedOptions, EmbedSession, type ObjectTexts } from '../../src/pipeline/embed.ts';
import { fakeEmbedder, rejectionOf, textVector } from './support.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const options = { purpose: 'document', metric: 'cosine', pause: async () => {} } as const;

/** All results at once, or the error that stopped the work. */
async function embedParts(objects: readonly ObjectTexts[], embedder: Embedder, how: EmbedOptions) {
  const session = new EmbedSession(objects, embedder, how);
  const stoppedBy = await session.run();
  if (stoppedBy !== null) throw stoppedBy;
  expect(session.left).toHaveLength(objects.length);
  const finished = session.take();
  expect(session.left).toEqual([]);
  return finished;
}
const objectOf = (id: string, ...texts: string[]) => ({ id, parts: texts.map((text) => ({ text })) });

test('parts of several objects share one call and are assigned to their objects', async () => {
  const { embedder, calls } = fakeEmbedder();
  const embedded = await embedParts([objectOf('a', 'one', 'three'), objectOf('b', 'xy')], embedder, options);
  expect(calls).toEqual([['one', 'three', 'xy']]);
  expect(embedded).toEqual([
    { id: 'a', vectors: [textVector('one'), textVector('three')] },
    { id: 'b', vectors: [textVector('xy')] },
  ]);
});

test('no objects need no call', async () => {
  const { embedder, calls } = fakeEmbedder();
  expect(await embedParts([], embedder, options)).toEqual([]);
  expect(calls).toEqual([]);
});

test('the allowed number of calls is in flight, and no more', async () => {
  const objects = Array.from({ length: 30 }, (_, at) => objectOf(`o${at}`, `text ${at}`));
  for (const concurrency of [1, 2, 5]) {
    const { embedder, maxRunning } = fakeEmbedder({ maxTexts: 2 });
    await embedParts(objects, embedder, { ...options, concurrency });
    expect(maxRunning()).toBe(concurrency);
  }
});

test('a text longer than a whole call goes alone', async () => {
  const { embedder, calls } = fakeEmbedder({ maxTexts: 10, maxChars: 10 });
  await embedParts([objectOf('a', 'ab', 'x'.repeat(99), 'cd')], embedder, { ...options, concurrency: 1 });
  expect(calls.map((texts) => texts.length)).toEqual([1, 1, 1]);
});

test('a text in several objects is sent once', async () => {
  const { embedder, calls } = fakeEmbedder();
  const embedded = await embedParts(
    [objectOf('a', 'same', 'one'), objectOf('b', 'same'), objectOf('c', 'same')],
    embedder,
    options,
  );
  expect(calls).toEqual([['same', 'one']]);
  expect(embedded).toEqual([
    { id: 'a', vectors: [textVector('same'), textVector('one')] },
    { id: 'b', vectors: [textVector('same')], reused: 1 },
    { id: 'c', vectors: [textVector('same')], reused: 1 },
  ]);
});

describe.each([1, 2, 3, 7, 64, 100])('among %i texts', (count) => {
  test.each([0, Math.floor(count / 2), count - 1])(
    'a bad text in place %i fails alone, and few others are refused with it',
    async (bad) => {
      const { embedder, calls } = fakeEmbedder({ rejects: 'poison' });
      const objects = Array.from({ length: count }, (_, at) =>
        objectOf(`o${at}`, at === bad ? 'poison' : `text ${at}`),
      );
      const embedded = await embedParts(objects, embedder, options);
      expect(embedded.flatMap((result) => ('failed' in result ? [result] : []))).toEqual([
        { id: `o${bad}`, failed: { stage: 'embed', reason: 'ModelRejectedInput', detail: 'one of the texts is bad' } },
      ]);
      for (const [at, result] of embedded.entries()) {
        if (at !== bad) expect(result).toEqual({ id: `o${at}`, vectors: [textVector(`text ${at}`)] });
      }
      const refused = calls.filter((texts) => texts.includes('poison'));
      expect(refused.slice(1).flat().length).toBeLessThanOrEqual(2 * Math.log2(count));
      // One more call shows that the model is not to blame for the first text.
      const answered = calls.flat().length - refused.flat().length;
      expect(answered).toBeLessThanOrEqual(count);
    },
  );
});

test('each object fails when every text is bad, in two calls per text', async () => {
  const { embedder, calls } = fakeEmbedder({ rejects: 'poison' });
  const objects = Array.from({ length: 64 }, (_, at) => objectOf(`o${at}`, `poison ${at}`));
  const embedded = await embedParts(objects, embedder, options);
  expect(embedded.every((result) => 'failed' in result)).toBe(true);
  expect(calls.length).toBeLessThanOrEqual(128);
});

test('no object fails when the model rejects every text, and a few calls show it', async () => {
  const { embedder, calls } = fakeEmbedder({ rejects: '' });
  const objects = Array.from({ length: 64 }, (_, at) => objectOf(`o${at}`, `text ${at}`));
  await expect(embedParts(objects, embedder, options)).rejects.toMatchObject({ type: 'ModelRejectedInput' });
  expect(calls.length).toBeLessThanOrEqual(10);
});

test('a bad part fails its whole object, and the rest of the object is not embedded', async () => {
  const { embedder, calls } = fakeEmbedder({ rejects: 'poison', maxTexts: 4 });
  const bad = objectOf('bad', ...Array.from({ length: 400 }, (_, at) => `poison ${at}`));
  const embedded = await embedParts([bad, objectOf('good', 'fine')], embedder, { ...options, concurrency: 1 });
  expect(embedded).toMatchObject([
    { id: 'bad', failed: { stage: 'embed' } },
    { id: 'good', vectors: [[4, 102, 101]] },
  ]);
  expect(calls.length).toBeLessThan(8);
});

test('a batch that is rejected only as a whole is embedded in halves', async () => {
  const { embedder } = fakeEmbedder();
  const small: Embedder = {
    ...embedder,
    embed: async (texts, how) => {
      if (texts.length > 3) throw new ReembedError('ModelRejectedInput', 'too many tokens together');
      return embedder.embed(texts, how);
    },
  };
  const objects = Array.from({ length: 20 }, (_, at) => objectOf(`o${at}`, `text ${at}`));
  const embedded = await embedParts(objects, small, options);
  expect(embedded).toEqual(objects.map(({ id }, at) => ({ id, vectors: [textVector(`text ${at}`)] })));
});

test.each<ErrorType>([
  'ModelRateLimited',
  'ModelQuotaUsedUp',
  'ModelUnauthorized',
  'ModelNotFound',
  'ModelWrongDimension',
])('%s says nothing about a text and stops all calls', async (type) => {
  let calls = 0;
  const embedder: Embedder = {
    dimensions: 3,
    maxTexts: 1,
    maxChars: 100,
    embed: async () => {
      calls += 1;
      throw new ReembedError(type, 'no', { retryAfterMs: 5_000 });
    },
  };
  const objects = Array.from({ length: 50 }, (_, at) => objectOf(`o${at}`, `x ${at}`));
  expect((await rejectionOf(embedParts(objects, embedder, options), type)).retryAfterMs).toBe(5_000);
  expect(calls).toBeLessThanOrEqual(2);
});

/** Answers as a real model to what `behave` accepts. */
function behaving(behave: (texts: readonly string[], call: number) => void, limits: Partial<Embedder> = {}) {
  const calls: string[][] = [];
  const embedder: Embedder = {
    dimensions: 3,
    maxTexts: 100,
    maxChars: 100_000,
    ...limits,
    embed: async (texts) => {
      calls.push([...texts]);
      behave(texts, calls.length);
      return texts.map(textVector);
    },
  };
  return { embedder, calls };
}

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

describe(`calls for any texts (SEED=${seed})`, () => {
  const texts = fc.array(fc.string({ minLength: 1, maxLength: 40 }), { maxLength: 60 });
  const limits = fc.record({ maxTexts: fc.integer({ min: 1, max: 10 }), maxChars: fc.integer({ min: 1, max: 60 }) });

  test('contain each text once in order, within the limits, and none has room for the next text', async () => {
    const property = fc.asyncProperty(texts, limits, async (list, { maxTexts, maxChars }) => {
      const { embedder, calls } = fakeEmbedder({ maxTexts, maxChars });
      const objects = list.map((text, at) => objectOf(`o${at}`, text));
      await embedParts(objects, embedder, { ...options, metric: 'l2', concurrency: 1 });
      expect(calls.flat()).toEqual([...new Set(list)]);
      const charsOf = (batch: readonly string[]) => batch.reduce((sum, { length }) => sum + length, 0);
      for (const [at, batch] of calls.entries()) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(maxTexts);
        if (batch.length > 1) expect(charsOf(batch)).toBeLessThanOrEqual(maxChars);
        const next = calls[at + 1]?.[0];
        if (next) expect(batch.length === maxTexts || charsOf(batch) + next.length > maxChars).toBe(true);
      }
    });
    await fc.assert(property, { seed, numRuns: 200 });
  });

  test('give each object the vectors of its own texts in order, or fail it because of one of them', async () => {
    const lists = fc.array(fc.array(fc.constantFrom('a', 'bb', 'ccc', 'dddd', '!'), { minLength: 1, maxLength: 6 }), {
      maxLength: 15,
    });
    const property = fc.asyncProperty(
      lists,
      limits,
      fc.integer({ min: 1, max: 4 }),
      async (list, limit, concurrency) => {
        const { embedder } = fakeEmbedder({ ...limit, rejects: '!' });
        const objects = list.map((own, at) => objectOf(`o${at}`, ...own));
        const embedded = await embedParts(objects, embedder, { ...options, concurrency });
        expect(embedded.map((result) => ('failed' in result ? 'failed' : result.vectors))).toEqual(
          list.map((own) => (own.includes('!') ? 'failed' : own.map(textVector))),
        );
      },
    );
    await fc.assert(property, { seed, numRuns: 200 });
  });
});

describe('a model with a window of 512 characters', () => {
  const words = (count: number) => Array.from({ length: count }, (_, at) => `word ${at}`).join(' ');
  const windowed = (status: ErrorType = 'ModelRejectedInput') =>
    behaving(
      (texts) => {
        if (texts.some((text) => text.length > 512)) throw new ReembedError(status, 'maximum context length is 512');
      },
      { maxTexts: 8 },
    );

  test('gets a longer text in pieces that cover it, and the objects beside it are whole', async () => {
    const { embedder } = windowed();
    const long = words(400);
    const [a, b] = await embedParts([objectOf('a', 'short', long, 'end'), objectOf('b', 'other')], embedder, options);
    expect(b).toEqual({ id: 'b', vectors: [textVector('other')] });
    if (!a || 'failed' in a) throw new Error('a failed');
    const pieces = a.split?.get(1) ?? [];
    expect(pieces.join(' ')).toBe(long);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(512);
    expect(a.vectors).toEqual(['short', ...pieces, 'end'].map(textVector));
  });

  test('gets the pieces of a text that several objects share once, also where one of them is dropped', async () => {
    const { embedder, calls } = windowed();
    const long = words(200);
    const session = new EmbedSession(
      [objectOf('a', long), objectOf('b', long), objectOf('c', long)],
      embedder,
      options,
    );
    session.drop('c');
    expect(await session.run()).toBeNull();
    expect(session.take()).toHaveLength(2);
    const sent = calls.flat().filter(({ length }) => length <= 512);
    expect(sent).toHaveLength(new Set(sent).size);
  });

  test('fails only the text that it refuses at any length', async () => {
    const { embedder } = behaving((texts) => {
      const error = new ReembedError('ModelRejectedInput', 'too many tokens');
      if (texts.some((text) => text.includes('word 7 '))) throw error;
    });
    const embedded = await embedParts([objectOf('a', words(100)), objectOf('b', 'fine')], embedder, options);
    expect(embedded).toMatchObject([
      { id: 'a', failed: { reason: 'ModelRejectedInput' } },
      { id: 'b', vectors: [textVector('fine')] },
    ]);
  });
});
