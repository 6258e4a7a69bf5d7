import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { itemSchema } from '../../src/contract/objects.ts';
import { decodeVector, dimensionsOf, encodeVector } from '../../src/contract/ready-parts.ts';

function refusal(item: object): string {
  const { error } = itemSchema.safeParse({ id: 'a', ...item });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}

const floats = (values: number[]) => Buffer.from(Float32Array.from(values).buffer).toString('base64');

describe('an item with ready vectors', () => {
  test('keeps the texts of its parts as one payload, with their places in it', () => {
    const item = itemSchema.parse({
      id: 'a',
      parts: [{ text: 'one 🦁', vector: [1, 0] }, { vector: [0, 1] }, { text: 'two', vector: [1, 1] }],
    });
    expect(item.payload).toBe('one 🦁\ntwo');
    expect(item.parts).toEqual([
      { start: 0, end: 6, vector: floats([1, 0]) },
      { vector: floats([0, 1]) },
      { start: 7, end: 10, vector: floats([1, 1]) },
    ]);
  });

  test('is the same item when it is read again', () => {
    const once = itemSchema.parse({
      id: 'a',
      metadata: { n: 1 },
      parts: [{ text: 'x', vector: [1] }, { vector: [2] }],
    });
    expect(itemSchema.parse(once)).toEqual(once);
  });

  test('may bring a payload, of which its parts are ranges, and a uri that is only kept', () => {
    const given = {
      id: 'a',
      payload: { title: 'abc' },
      uri: 'https://x.test/',
      parts: [{ start: 1, end: 3, vector: [1] }],
    };
    expect(itemSchema.parse(given)).toMatchObject({ payload: { title: 'abc' }, uri: 'https://x.test/' });
  });

  test.each<[string, object, string]>([
    ['no vector', { parts: [{ text: 'x' }] }, 'parts.0.vector: must be an array of numbers'],
    ['no parts', { parts: [] }, 'parts: '],
    ['an empty vector', { parts: [{ vector: [] }] }, 'parts.0.vector: must have 1 to 16000 numbers'],
    ['a null in a vector', { parts: [{ vector: [1, null] }] }, 'parts.0.vector.1: must be a finite number'],
    ['NaN', { parts: [{ vector: [1, Number.NaN] }] }, 'parts.0.vector.1: must be a finite number'],
    ['NaN in base64', { parts: [{ vector: floats([1, Number.NaN]) }] }, 'parts.0.vector.1: must be a finite number'],
    [
      'a number too large for single precision',
      { parts: [{ vector: [1e39] }] },
      'parts.0.vector.0: must be at most 3.4',
    ],
    ['zeros', { parts: [{ vector: [0, 0] }] }, 'parts.0.vector: must not be all zero'],
    [
      'numbers that are zero in single precision',
      { parts: [{ vector: [1e-60] }] },
      'parts.0.vector: must not be all zero',
    ],
    ['text that is no base64', { parts: [{ vector: 'AAAA*AAA' }] }, 'parts.0.vector: must be base64'],
    ['half a number', { parts: [{ vector: 'AAAA' }] }, 'parts.0.vector: must have 1 to 16000 numbers of 4 bytes'],
    ['two dimensions', { parts: [{ vector: [1] }, { vector: [1, 2] }] }, 'parts.1.vector: must have 1 numbers'],
    ['a blank text', { parts: [{ text: ' ', vector: [1] }] }, 'parts.0.text: must not be blank'],
    ['a text beside a payload', { payload: 'x', parts: [{ text: 'x', vector: [1] }] }, 'parts.0.text: not beside'],
    ['a range without a payload', { parts: [{ start: 0, end: 1, vector: [1] }] }, 'parts.0.start: needs a payload'],
    ['an end alone', { payload: 'x', parts: [{ end: 1, vector: [1] }] }, 'parts.0.start: needed beside end'],
    ['a start alone', { payload: 'x', parts: [{ start: 1, vector: [1] }] }, 'parts.0.end: must be after start'],
    ['an empty range', { payload: 'xy', parts: [{ start: 1, end: 1, vector: [1] }] }, 'parts.0.end: must be after'],
    ['an unknown field', { parts: [{ vector: [1], weight: 2 }] }, 'parts.0: '],
    ['neither', {}, 'payload: give either payload or uri, or parts'],
  ])('is refused with %s, and the field is named', (_what, item, said) => {
    expect(refusal(item)).toContain(said);
  });

  test('is refused with more text than a payload may have', () => {
    const parts = Array.from({ length: 11 }, () => ({ text: 'é'.repeat(512 * 1024), vector: [1] }));
    expect(refusal({ parts })).toContain('parts: at most');
    expect(refusal({ parts: parts.slice(0, 9) })).toBe('');
  });
});

test('base64 of a vector keeps every number in single precision', () => {
  const vector = fc.float32Array({ noNaN: true, noDefaultInfinity: true, minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(vector, (given) => {
      const text = encodeVector(given);
      expect(text).toBe(Buffer.from(given.buffer, given.byteOffset, given.byteLength).toString('base64'));
      expect(dimensionsOf(text)).toBe(given.length);
      expect(decodeVector(text)).toEqual(given);
    }),
  );
});
