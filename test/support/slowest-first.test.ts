import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SLOWEST } from './slowest-first.ts';

test('the slowest files, which run first, exist', () => {
  expect(SLOWEST.filter((file) => !existsSync(new URL(`../${file}`, import.meta.url)))).toEqual([]);
});
