import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, canonicalPieces } from '../../src/contract/canonical-json.ts';

describe('the canonical text of a JSON value', () => {
  it('is the same for any order of the keys, at any level', () => {
    const one = { b: [{ y: 1, x: null }], a: { 10: 'ten', 2: 'two' } };
    const other = { a: { 2: 'two', 10: 'ten' }, b: [{ x: null, y: 1 }] };
    expect(canonicalJson(one)).toBe(canonicalJson(other));
    expect(canonicalJson(one)).toBe('{"a":{"10":"ten","2":"two"},"b":[{"x":null,"y":1}]}');
  });

  it('is JSON: undefined is omitted, a list keeps its positions, a date is its text', () => {
    const value = { at: new Date(0), gone: undefined, list: [undefined, 'a "b"\n', 1.5, true] };
    expect(canonicalJson(value)).toBe('{"at":"1970-01-01T00:00:00.000Z","list":[null,"a \\"b\\"\\n",1.5,true]}');
    expect([canonicalJson(null), canonicalJson({}), canonicalJson([])]).toEqual(['null', '{}', '[]']);
  });

  it('is the same when it comes in pieces, each of them short', () => {
    const json = fc.jsonValue({ stringUnit: 'binary', maxDepth: 3 });
    fc.assert(
      fc.property(json, fc.integer({ min: 1, max: 40 }), (value, pieceChars) => {
        const pieces = [...canonicalPieces(value, pieceChars)];
        expect(pieces.join('')).toBe(canonicalJson(value));
      }),
    );
    const large = { texts: ['\u{1f600}'.repeat(50_000), 'plain'], last: { text: '"'.repeat(100_000) } };
    const pieces = [...canonicalPieces(large)];
    expect(pieces.join('')).toBe(canonicalJson(large));
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(2 * 65_537);
  });
});
