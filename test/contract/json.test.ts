import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/contract/json.ts';

describe('the canonical text of a JSON value', () => {
  it('is the same whatever the order of the keys, at any level', () => {
    const one = { b: [{ y: 1, x: null }], a: { 10: 'ten', 2: 'two' } };
    const other = { a: { 2: 'two', 10: 'ten' }, b: [{ x: null, y: 1 }] };
    expect(canonicalJson(one)).toBe(canonicalJson(other));
    expect(canonicalJson(one)).toBe('{"a":{"10":"ten","2":"two"},"b":[{"x":null,"y":1}]}');
  });

  it('is JSON: what is undefined is left out, a list keeps its places, a date is its text', () => {
    const value = { at: new Date(0), gone: undefined, list: [undefined, 'a "b"\n', 1.5, true] };
    expect(canonicalJson(value)).toBe('{"at":"1970-01-01T00:00:00.000Z","list":[null,"a \\"b\\"\\n",1.5,true]}');
    expect([canonicalJson(null), canonicalJson({}), canonicalJson([])]).toEqual(['null', '{}', '[]']);
  });
});
