import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonProblem } from '../../src/contract/json.ts';
import { JsonTextError } from '../../src/contract/json-text/error.ts';
import { withExactNumbers } from '../../src/contract/json-text/exact-numbers.ts';
import { parseJsonText } from '../../src/contract/json-text/parse.ts';
import { toJsonText } from '../../src/contract/json-text/write.ts';

function refusal(text: string | Uint8Array, options?: Parameters<typeof parseJsonText>[1]): string {
  try {
    return `taken as ${JSON.stringify(parseJsonText(text, options))}`;
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    return `${error.path.join('.')}: ${error.message}`;
  }
}

describe('the reader of JSON', () => {
  test('returns every JSON value unchanged, and the same for both forms of the text', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(jsonProblem(value, undefined, { nul: true }) === undefined);
        const expected = JSON.parse(text);
        expect(parseJsonText(text)).toEqual(expected);
        expect(parseJsonText(Buffer.from(JSON.stringify(value, null, 2)))).toEqual(expected);
        expect(parseJsonText(Buffer.from(`\uFEFF${text}`))).toEqual(expected);
      }),
    );
  });

  test('keeps a number exactly or refuses it, for any digits and exponent', () => {
    const digits = fc.stringMatching(/^-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?$/);
    fc.assert(
      fc.property(digits, (token) => {
        const said = refusal(`[${token}]`);
        if (!said.startsWith('taken as')) return;
        const kept = JSON.stringify(parseJsonText(`[${token}]`)).slice(1, -1);
        expect(sameDecimal(kept, token)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['{"a":{"b":[1,9007199254740993]}}', 'a.b.1: must be between'],
    ['{"a":-9007199254740992}', 'a: must be between'],
    ['{"a":1e400}', 'a: must be at most'],
    ['{"a":1e-400}', 'a: would be stored as 0'],
    ['[0.1234567890123456789]', '0: would be stored as 0.12345678901234568'],
    ['{"a":1,"b":{"c":1,"c":2}}', 'b.c: must not occur twice'],
    ['{"__proto__":1,"__proto__":2}', '__proto__: must not occur twice'],
    ['{"a":["\\ud800"]}', 'a.0: must be well-formed Unicode'],
    ['{"a":"\\udc00\\ud800"}', 'a: must be well-formed Unicode'],
    ['{"a":"\\ud800\\u0041"}', 'a: must be well-formed Unicode'],
    ['{"a":', ': is not valid JSON'],
    ['{"a":01}', ': is not valid JSON'],
    ['', ': is not valid JSON'],
  ])('refuses %s naming the field', (text, expected) => {
    expect(refusal(text)).toContain(expected);
  });

  test('accepts numbers that look like refused ones but are exact', () => {
    const text =
      '{"n":[9007199254740991,1e21,1.50,-0.0,100000000000000000e-3],"t":"\\ud83d\\ude00 \\\\ud800 9007199254740993"}';
    expect(parseJsonText(text)).toEqual({
      n: [9007199254740991, 1e21, 1.5, -0, 1e14],
      t: '😀 \\ud800 9007199254740993',
    });
  });

  test('makes own properties of keys with a meaning in JavaScript, at every level', () => {
    const text = '{"__proto__":{"__proto__":1,"constructor":2},"prototype":[{"__proto__":null}]}';
    const value = parseJsonText(text);
    expect(JSON.stringify(value)).toBe(text);
    expect(Object.hasOwn(value as object, '__proto__')).toBe(true);
  });

  test('names the first byte that is not UTF-8', () => {
    for (const [bytes, at] of [
      [[0x22, 0x61, 0xff, 0x22], 2],
      [[0x22, 0xed, 0xa0, 0x80, 0x22], 2],
      [[0x22, 0xc3, 0xa9, 0xc3], 3],
    ] as const) {
      expect(refusal(Uint8Array.from(bytes))).toBe(`: is not UTF-8: the byte at offset ${at} is not valid`);
    }
  });

  test('rounds numbers to the nearest double in vectors only', () => {
    const vector = '{"vector":[0.10000000000000001,0.3333333333333333333]';
    expect(refusal(`${vector}}`, { vectors: ['vector'] })).toBe('taken as {"vector":[0.1,0.3333333333333333]}');
    expect(refusal(`${vector},"filter":{"vector":[0.10000000000000001]}}`, { vectors: ['vector'] })).toContain(
      'filter.vector.0: would be stored as 0.1',
    );
  });

  test('rounds the numbers of vectors at their path, and counts them apart from other values', () => {
    const vectors = ['parts', '*', 'vector'];
    const limits = { levels: 10, values: 20 };
    const numbers = Array.from({ length: 1_000 }, () => '0.10000000000000001').join();
    const item = `{"parts":[{"text":"x","vector":[${numbers}]},{"vector":[${numbers}]}]`;
    expect(parseJsonText(`${item}}`, { vectors, limits })).toMatchObject({ parts: [{ text: 'x' }, {}] });
    for (const other of ['"payload":[{"vector":[0.10000000000000001]}]', '"vector":[0.10000000000000001]']) {
      expect(refusal(`${item},${other}}`, { vectors, limits })).toContain('would be stored as 0.1');
    }
    const nested = `{"parts":[{"vector":[${'[1,2],'.repeat(30)}1]}]}`;
    expect(refusal(nested, { vectors, limits })).toContain('must not have more than 20 elements');
    const many = `{"parts":[{"vector":[${'1,'.repeat(4_000_000)}1]},{"vector":[1,2]}]}`;
    expect(refusal(many, { vectors })).toContain('must not have more than 4000000 numbers in its vectors');
  });

  test('refuses too many levels and too many values before it parses them', () => {
    expect(refusal('['.repeat(5_000_000))).toContain('must not be nested deeper than');
    expect(refusal(`{"payload":[${'0,'.repeat(5_000_000)}0]}`)).toMatch(
      /^payload\.\d+: must not have more than 150000 elements and fields$/,
    );
  });
});

describe('the writer of JSON', () => {
  test('refuses values that JSON would change, and names the field', () => {
    for (const [value, path] of [
      [{ a: [1, Number.NaN] }, 'a.1'],
      [{ a: { b: Number.POSITIVE_INFINITY } }, 'a.b'],
      [{ a: 2 ** 60 }, 'a'],
      [{ a: 'x\ud800' }, 'a'],
      [{ a: 1n }, 'a'],
    ] as const) {
      expect(() => toJsonText(value)).toThrow(new RegExp(`^${path.replaceAll('.', '\\.')}: must be`));
    }
    expect(toJsonText({ a: [1, 'é\u0000'] })).toBe('{"a":[1,"é\\u0000"]}');
  });
});

/** Compares two decimals exactly: as integers with one exponent. */
function sameDecimal(one: string, other: string): boolean {
  const [left, right] = [exact(one), exact(other)];
  const least = left.exponent < right.exponent ? left.exponent : right.exponent;
  const scaled = ({ digits, exponent }: { digits: bigint; exponent: bigint }) => digits * 10n ** (exponent - least);
  return scaled(left) === scaled(right);
}

function exact(token: string): { digits: bigint; exponent: bigint } {
  const [mantissa = '', exponent = '0'] = token.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: BigInt(exponent) - BigInt(fraction.length) };
}

test('numbers that a double changes become texts, and nothing else changes', () => {
  const kept = '{"a": [1, -2.5, 1e300, 0.1, 9007199254740991, true, null], "1234567890123456789": "\\" 1e400 \\\\"}';
  expect(withExactNumbers(kept)).toBe(kept);
  expect(withExactNumbers('[9007199254740993, -0.1234567890123456789, {"a": 1e400}]')).toBe(
    '["9007199254740993", "-0.1234567890123456789", {"a": "1e400"}]',
  );
  expect(withExactNumbers('12345678901234567890')).toBe('"12345678901234567890"');
});
