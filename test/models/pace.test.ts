import { describe, expect, test } from 'vitest';
import type { Embedder } from '../../src/contract/embedder.ts';
import { ReembedError } from '../../src/contract/errors.ts';
import { createPace } from '../../src/models/pace.ts';
import { createPacedEmbedder } from '../../src/models/paced.ts';
import { EmbedSession } from '../../src/pipeline/embed.ts';

const many = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ id: `o${at}`, parts: [{ text: `text number ${at}` }] }));

/** Embeds objects in batches of 64, several in parallel, as the slices of a reindex do. */
async function embedAll(embedder: Embedder, count: number, lanes: number): Promise<number> {
  const objects = many(count);
  let embedded = 0;
  const lane = async () => {
    for (let batch = objects.splice(0, 64); batch.length > 0; batch = objects.splice(0, 64)) {
      const how = { purpose: 'document', metric: 'cosine', concurrency: 2, pause: async () => {} } as const;
      const session = new EmbedSession(batch, embedder, how);
      while ((await session.run()) !== null);
      embedded += session.take().filter((one) => 'vectors' in one).length;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return embedded;
}

describe.each([
  ['batch size is invalid, it should not be larger than 10: got {n}', 8],
  ['rejected', 16],
  ['too many inputs', 16],
])('a model that takes 10 texts and says "%s"', (message, maxRefused) => {
  test.each([1, 4])('is detected once, by %i lanes', async (lanes) => {
    let calls = 0;
    let refused = 0;
    const model: Embedder = {
      dimensions: 1,
      maxTexts: 64,
      maxChars: 100_000,
      async embed(texts) {
        calls++;
        await new Promise((resolve) => setImmediate(resolve));
        if (texts.length <= 10) return texts.map(() => [1]);
        refused++;
        throw new ReembedError('ModelRejectedInput', message.replace('{n}', String(texts.length)));
      },
    };
    expect(await embedAll(createPacedEmbedder(model, createPace()), 1_280, lanes)).toBe(1_280);
    expect(refused).toBeLessThanOrEqual(maxRefused);
    expect(calls).toBeLessThanOrEqual(200);
  });
});

test.each([1, 4])(
  'a model that takes one text and says nothing about it is detected once, by %i lanes',
  async (lanes) => {
    let refused = 0;
    const model: Embedder = {
      dimensions: 1,
      maxTexts: 64,
      maxChars: 100_000,
      async embed(texts) {
        await new Promise((resolve) => setImmediate(resolve));
        if (texts.length === 1) return [[1]];
        refused++;
        throw new ReembedError('ModelRejectedInput', 'invalid');
      },
    };
    expect(await embedAll(createPacedEmbedder(model, createPace()), 320, lanes)).toBe(320);
    expect(refused).toBeLessThanOrEqual(20);
  },
);

test('the max number of characters per call of a model is detected once', async () => {
  let refused = 0;
  const model: Embedder = {
    dimensions: 1,
    maxTexts: 64,
    maxChars: 100_000,
    async embed(texts) {
      if (texts.join('').length <= 300) return texts.map(() => [1]);
      refused++;
      throw new ReembedError('ModelRejectedInput', 'more than 100 tokens in all');
    },
  };
  expect(await embedAll(createPacedEmbedder(model, createPace()), 1_280, 4)).toBe(1_280);
  expect(refused).toBeLessThanOrEqual(20);
});

test('a text that the model rejects does not make the calls smaller', async () => {
  const pace = createPace();
  const model: Embedder = {
    dimensions: 1,
    maxTexts: 64,
    maxChars: 100_000,
    async embed(texts) {
      if (texts.includes('text number 77')) throw new ReembedError('ModelRejectedInput', 'no');
      return texts.map(() => [1]);
    },
  };
  const paced = createPacedEmbedder(model, pace);
  expect(await embedAll(paced, 640, 2)).toBe(639);
  expect([paced.maxTexts, paced.maxChars]).toEqual([64, 100_000]);
});

test('a slow model with one call at a time gets smaller and fewer calls, and everything is embedded', async () => {
  const timeoutMs = 60_000;
  let nowMs = 0;
  let busyUntilMs = 0;
  let timeouts = 0;
  const pace = createPace(timeoutMs, () => nowMs);
  const model: Embedder = {
    dimensions: 1,
    maxTexts: 128,
    maxChars: 200_000,
    async embed() {
      throw new Error('not called');
    },
  };
  const paced = createPacedEmbedder(model, pace);
  // Three characters are a token; the model does 1,200 tokens per second, and also finishes abandoned work.
  const queue = Array.from({ length: 400 }, () => 1_500);
  interface Call {
    chars: number[];
    startMs: number;
    endMs: number;
    leave: () => void;
  }
  const flying: Call[] = [];
  for (let steps = 0; queue.length > 0 || flying.length > 0; steps++) {
    expect(steps).toBeLessThan(2_000);
    while (queue.length > 0 && flying.length < 8) {
      const entered = await pace.enter(AbortSignal.timeout(1)).catch(() => null);
      if (entered === null) break;
      const chars = [queue.shift() as number];
      while (queue.length > 0 && chars.length < paced.maxTexts && (chars.length + 1) * 1_500 <= paced.maxChars) {
        chars.push(queue.shift() as number);
      }
      busyUntilMs = Math.max(busyUntilMs, nowMs) + (chars.length * 500) / 1.2;
      flying.push({ chars, startMs: nowMs, endMs: busyUntilMs, leave: entered });
    }
    const next = flying.toSorted(
      (a, b) => Math.min(a.endMs, a.startMs + timeoutMs) - Math.min(b.endMs, b.startMs + timeoutMs),
    )[0] as Call;
    flying.splice(flying.indexOf(next), 1);
    const isLate = next.endMs > next.startMs + timeoutMs;
    nowMs = Math.max(nowMs, isLate ? next.startMs + timeoutMs : next.endMs);
    const size = { texts: next.chars.length, chars: next.chars.reduce((sum, one) => sum + one, 0) };
    if (isLate) {
      timeouts++;
      pace.timedOut(size, timeoutMs);
      queue.push(...next.chars);
    } else {
      pace.answered(size, nowMs - next.startMs);
    }
    next.leave();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(timeouts).toBeLessThanOrEqual(12);
  expect(nowMs).toBeLessThan(15 * 60_000);
});

test('the detected limits expire after half an hour', () => {
  let nowMs = 0;
  const pace = createPace(undefined, () => nowMs);
  pace.tooLarge({ texts: 20, chars: 1_000 }, 'no', true);
  expect(pace.maxTexts).toBe(10);
  nowMs += 31 * 60_000;
  expect(pace.maxTexts).toBe(Number.POSITIVE_INFINITY);
});
