import { expect, test } from 'vitest';
import type { z } from 'zod';
import { embedSchema } from '../../src/contract/embed.ts';
import { fieldIssues } from '../../src/contract/issues.ts';
import { searchSchema } from '../../src/contract/objects.ts';
import { querySchema } from '../../src/contract/query-sets.ts';
import { searchManySchema } from '../../src/contract/search-many.ts';

const BODIES: [string, z.ZodType, (text: string) => object, string][] = [
  ['a search', searchSchema, (text) => ({ text }), 'text'],
  ['a search of several indexes', searchManySchema, (text) => ({ indexes: ['a', 'b'], text }), 'text'],
  ['a text to embed', embedSchema, (text) => ({ index: 'a', texts: ['cat', text] }), 'texts.1'],
  ['a query of a set', querySchema, (text) => ({ id: 'q', text }), 'text'],
];

test.each(BODIES)('%s needs more than white space', (_what, schema, bodyOf, path) => {
  for (const [text, message] of [
    ['', 'must not be empty'],
    [' \n\t\u00a0', 'must not be blank'],
  ] as const) {
    const { error } = schema.safeParse(bodyOf(text));
    expect(fieldIssues(error as z.core.$ZodError)).toEqual([{ path, message }]);
  }
  expect(schema.safeParse(bodyOf(' big cat ')).success).toBe(true);
});
