import { expect, test } from 'vitest';
import { jsonBytes } from '../../src/contract/json.ts';
import { firstBytes, MAX_READ_BYTES } from '../../src/store/read-size.ts';

test('the first row is kept whatever its size, and the others as long as they fit', () => {
  const rows = [2 * MAX_READ_BYTES, 1, 1].map((length) => 'x'.repeat(length));
  expect(firstBytes(rows, (row) => row)).toHaveLength(1);
  expect(firstBytes(rows.slice(1), (row) => row)).toHaveLength(2);
  expect(firstBytes([], (row) => row)).toEqual([]);
});

test.each([
  ['a text', 'x'.repeat(1_000)],
  ['an object', { id: 'a', payload: { title: 'x'.repeat(500), n: [1, 2, 3], deep: { yes: true, no: null } } }],
  ['a list', [['a'.repeat(100)], [{}]]],
])('the size of %s is about that of its JSON', (_what, value) => {
  const exact = JSON.stringify(value).length;
  expect(jsonBytes(value)).toBeGreaterThan(exact * 0.9);
  expect(jsonBytes(value)).toBeLessThan(exact * 1.3);
});
