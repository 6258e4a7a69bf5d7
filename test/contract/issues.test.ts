import { expect, test } from 'vitest';
import { z } from 'zod';
import { fieldIssues, issuesText } from '../../src/contract/issues.ts';

const problemOf = (schema: z.ZodType, value: unknown) => {
  const parsed = schema.safeParse(value);
  return parsed.success ? undefined : issuesText(fieldIssues(parsed.error));
};

test.each<[string, z.ZodType, unknown, string]>([
  [
    'a type that is another one',
    z.object({ limit: z.number() }),
    { limit: 'x' },
    'limit: must be a number, not a string',
  ],
  ['a field that is missing', z.object({ limit: z.int() }), {}, 'limit: is required (a number)'],
  ['a fraction', z.int(), 1.5, 'must be an integer'],
  ['a list for an object', z.object({}), [], 'must be an object, not a list'],
  ['an empty text', z.string().min(1), '', 'must not be empty'],
  ['a short text', z.string().min(3), 'ab', 'must have at least 3 characters'],
  ['a long text', z.string().max(1), 'ab', 'must have at most 1 character'],
  ['a text of another length', z.string().length(2), 'a', 'must have exactly 2 characters'],
  ['an empty list', z.array(z.string()).min(1), [], 'must not be empty'],
  ['a long list', z.array(z.string()).max(2), ['a', 'b', 'c'], 'must have at most 2 items'],
  ['a small number', z.number().min(1), 0, 'must be at least 1'],
  ['a number at an open bound', z.number().gt(0), 0, 'must be above 0'],
  ['a large number', z.number().max(1_000), 1_001, 'must be at most 1000'],
  ['a number below an open bound', z.number().lt(1), 1, 'must be below 1'],
  ['another choice', z.enum(['a', 'b']), 'c', 'must be one of "a", "b"'],
  ['no address', z.url(), 'x', 'must be a URL'],
  ['no time', z.iso.datetime(), '2026', 'must be a time such as 2026-01-31T12:00:00Z'],
  ['another literal', z.literal(true), false, 'must be true'],
  [
    'another kind of object',
    z.discriminatedUnion('kind', [z.object({ kind: z.literal('a') }), z.object({ kind: z.literal('b') })]),
    { kind: 'c' },
    'kind: must be one of "a", "b"',
  ],
  ['a number between steps', z.number().multipleOf(5), 7, 'must be a multiple of 5'],
  [
    'a value of no branch',
    z.union([z.string(), z.number(), z.boolean()]),
    null,
    'must be a string or a number or true or false, not null',
  ],
  [
    'a value beside types and choices',
    z.union([z.literal('auto'), z.number()]),
    [],
    'must be "auto", or must be a number, not a list',
  ],
  [
    'a number that no branch takes, in the words of the union',
    z.union([z.literal(-1), z.int().min(0, { abort: true })], { error: 'a whole number, or -1 for no limit' }),
    -3,
    'a whole number, or -1 for no limit',
  ],
  [
    'a field of a branch, in the words of the branch',
    z.union([z.literal('auto'), z.object({ k: z.int().min(1) })], { error: 'auto, or an object' }),
    { k: 0 },
    'k: must be at least 1',
  ],
  ['what its schema words itself', z.string().max(1, 'is too long for a flag'), 'ab', 'is too long for a flag'],
  ['a field that is not known', z.strictObject({}), { x: 1 }, 'x: is not a known field'],
])('the issue of %s says what was expected', (_what, schema, value, problem) => {
  expect(problemOf(schema, value)).toBe(problem);
});
