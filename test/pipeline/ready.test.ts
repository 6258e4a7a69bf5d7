import { expect, test } from 'vitest';
import type { IndexConfigInput } from '../../src/contract/indexes.ts';
import type { Payload } from '../../src/contract/objects.ts';
import { contentHasher, haveSameText } from '../../src/pipeline/content-hash.ts';
import { prepareObjects } from '../../src/pipeline/prepare.ts';
import type { OwnPart, PreparedObject } from '../../src/pipeline/prepared.ts';
import { originOf } from '../../src/pipeline/ready.ts';
import { fakeEmbedder, indexConfig, textVector } from './support.ts';

interface Given {
  parts?: OwnPart[];
  fits?: boolean;
  config?: Partial<IndexConfigInput>;
  known?: string;
}

const part = (start: number | null, end: number | null, ...numbers: number[]): OwnPart => ({
  start,
  end,
  embedding: Float32Array.from(numbers),
});

/** Prepares one object; also returns the texts that the model got. */
async function prepare(payload: Payload, { parts, fits = true, config, known }: Given = {}) {
  const { embedder, calls } = fakeEmbedder();
  const portions = prepareObjects([{ id: 'a', payload, ...(parts && { ready: { parts, fits } }) }], {
    config: indexConfig(config),
    embedder,
    loader: async (item) => item.payload ?? '',
    known: async () => new Map(known === undefined ? [] : [['a', known]]),
  });
  const ready: PreparedObject[] = [];
  const failed: object[] = [];
  for await (const portion of portions) {
    ready.push(...portion.ready);
    failed.push(...portion.failed);
  }
  return { object: ready[0] as PreparedObject, failed, texts: calls.flat() };
}

test('ready vectors are taken as they are, and no model is called', async () => {
  const { object, texts } = await prepare('one\ntwo', { parts: [part(0, 3, 1, 2, 3), part(null, null, 3, 2, 1)] });
  expect(texts).toEqual([]);
  expect(object.parts).toEqual([
    { part: 0, start: 0, end: 3, isAverage: false, embedding: Float32Array.of(1, 2, 3) },
    { part: 1, start: null, end: null, isAverage: false, embedding: Float32Array.of(3, 2, 1) },
  ]);
});

test('ready vectors have an average and words where the index has them', async () => {
  const config = { average: true, metric: 'l2', fullText: { language: 'english' } } as const;
  const { object } = await prepare('one', { parts: [part(0, 3, 1, 1, 1), part(null, null, 3, 3, 3)], config });
  expect(object.parts.map(({ words }) => words)).toEqual([{ language: 'english', text: 'one' }, undefined, undefined]);
  expect(object.parts[2]).toMatchObject({ isAverage: true, embedding: [2, 2, 2], end: null });
});

test('the same vectors again change nothing, and another vector of the same text is written', async () => {
  const first = await prepare('one', { parts: [part(0, 3, 1, 2, 3)] });
  const known = first.object.hash;
  expect((await prepare('one', { parts: [part(0, 3, 1, 2, 3)], known })).object.unchanged).toBe(true);
  const other = await prepare('one', { parts: [part(0, 3, 1, 2, 4)], known });
  expect(other.object).toMatchObject({ unchanged: false, parts: [{ embedding: Float32Array.of(1, 2, 4) }] });
});

test('a later write of the text alone keeps vectors of the parts that the splitter makes', async () => {
  const { object } = await prepare('one', { parts: [part(0, 3, 1, 2, 3)] });
  const plain = await prepare('one', { known: object.hash });
  expect(plain.object.unchanged).toBe(true);
  expect(plain.texts).toEqual([]);
  const { hash } = (await prepare('one')).object;
  expect((await prepare('one', { parts: [part(0, 3, 1, 2, 3)], known: hash })).object.unchanged).toBe(false);
});

test('a later write of the text alone replaces vectors of other parts', async () => {
  const { object } = await prepare('one two', { parts: [part(0, 3, 1, 2, 3), part(4, 7, 1, 2, 3)] });
  expect(haveSameText(object.hash, await contentHasher(indexConfig())('one two'))).toBe(false);
  expect((await prepare('one two', { known: object.hash })).texts).toEqual(['one two']);
});

test('vectors of another model are made again from the texts of the parts', async () => {
  const parts = [part(0, 3, 9, 9), part(4, 7, 9, 9)];
  const { object, texts } = await prepare('one two', { parts, fits: false });
  expect(texts).toEqual(['one', 'two']);
  expect(object.parts.map(({ start, end, embedding }) => [start, end, embedding])).toEqual([
    [0, 3, textVector('one')],
    [4, 7, textVector('two')],
  ]);
  expect(originOf(object.hash)).toBe('own');
  const again = await prepare('one two', { parts, fits: false, known: object.hash });
  expect(again.object.unchanged).toBe(true);
});

test('vectors of another model for the usual parts leave an ordinary object', async () => {
  const { object, texts } = await prepare('one', { parts: [part(0, 3, 9, 9)], fits: false });
  expect(texts).toEqual(['one']);
  expect(object.hash).toBe(await contentHasher(indexConfig())('one'));
});

test.each<[string, Given, object]>([
  [
    'a part without text cannot be embedded by another model',
    { parts: [part(0, 3, 1), part(null, null, 1)], fits: false },
    { stage: 'embed', reason: 'NoText', detail: expect.stringContaining('part 1 has no text') },
  ],
  [
    'parts that are not stored any more cannot be embedded',
    { parts: [], fits: false },
    { stage: 'embed', reason: 'NoText', detail: expect.stringContaining('had parts without text') },
  ],
  [
    'a part cannot end after the text',
    { parts: [part(0, 4, 1, 2, 3)] },
    { stage: 'split', reason: 'InvalidInput', detail: expect.stringContaining('parts.0.end is 4') },
  ],
  [
    'a vector needs the dimensions of the model',
    { parts: [part(0, 3, 1, 2)] },
    { stage: 'embed', reason: 'ModelWrongDimension', detail: expect.stringContaining('part 0 has 2 numbers') },
  ],
])('%s: the object fails alone, with the reason', async (_what, given, failure) => {
  const { failed, texts } = await prepare('one', given);
  expect(failed).toEqual([{ objectId: 'a', ...failure }]);
  expect(texts).toEqual([]);
});
