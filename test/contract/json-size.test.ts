import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLongerJson } from '../../src/contract/json-size.ts';

test('the size of a JSON value is that of its text in UTF-8, to the byte', () => {
  const json = fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 });
  fc.assert(
    fc.property(json, (value) => {
      const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
      expect(isLongerJson(value, bytes)).toBe(false);
      expect(isLongerJson(value, bytes - 1)).toBe(true);
    }),
  );
  for (const value of [
    '\u0000\u001f\b\t\n\f\r"\\\u007f',
    { a: undefined, b: [1e21, -0, 1.5] },
    'é€\u{1f600}',
    `a${'\u{1f600}"'.repeat(50_000)}`,
  ]) {
    const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
    expect([isLongerJson(value, bytes), isLongerJson(value, bytes - 1)]).toEqual([false, true]);
  }
});
