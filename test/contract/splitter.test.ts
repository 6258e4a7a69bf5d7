import { expect, test } from 'vitest';
import { formatOf, partsText, splitterSchema, tokenizerNameOf } from '../../src/contract/splitter.ts';

test('a splitter by characters has the same defaults and fields as always', () => {
  expect(splitterSchema.parse({})).toEqual({ chunkSize: 2_000, chunkOverlap: 200 });
  expect(splitterSchema.parse({ chunkSize: 500 })).toEqual({ chunkSize: 500, chunkOverlap: 200 });
});

test('a splitter by tokens shares a tenth unless it says otherwise, and has no characters', () => {
  expect(splitterSchema.parse({ chunkTokens: 460 })).toEqual({ chunkTokens: 460, overlapTokens: 46 });
  const given = { chunkTokens: 460, overlapTokens: 0, format: 'markdown', tokenizer: 'e5' };
  expect(splitterSchema.parse(given)).toEqual(given);
});

test.each([
  [{ chunkTokens: 100, chunkSize: 100 }, 'chunkSize', 'must not be given together with chunkTokens'],
  [{ chunkTokens: 100, overlapTokens: 51 }, 'overlapTokens', 'must be at most half of chunkTokens'],
  [{ overlapTokens: 5 }, 'overlapTokens', 'needs chunkTokens'],
  [{ format: 'html' }, 'format', 'needs chunkTokens'],
  [{ formatField: 'type' }, 'formatField', 'needs chunkTokens'],
  [{ chunkTokens: 100, tokenizer: 'cl100kbase' }, 'tokenizer', 'did you mean cl100k_base?'],
])('%j is refused by its field', (splitter, path, message) => {
  expect(splitterSchema.safeParse(splitter).error?.issues).toMatchObject([{ path: [path], message }]);
});

test('the path of a field has a bound', () => {
  expect(splitterSchema.safeParse({ fields: ['x'.repeat(500)] }).success).toBe(true);
  expect(splitterSchema.safeParse({ fields: ['ok', 'x'.repeat(501)] }).error?.issues).toMatchObject([
    { path: ['fields', 1] },
  ]);
});

test.each(['../e5', '/etc/passwd', 'a/b', ''])('the name of a tokenizer cannot be the path %j', (tokenizer) => {
  expect(splitterSchema.safeParse({ chunkTokens: 100, tokenizer }).success).toBe(false);
});

test("the default tokenizer is OpenAI's own for its models, and an estimate for others", () => {
  expect(tokenizerNameOf({}, { name: 'text-embedding-3-small' })).toBe('cl100k_base');
  expect(tokenizerNameOf({}, { name: 'bge-m3' })).toBe('estimate');
  expect(tokenizerNameOf({ tokenizer: 'e5' }, { name: 'text-embedding-3-small' })).toBe('e5');
});

test('the size of parts is shown in its unit', () => {
  expect(partsText(splitterSchema.parse({}))).toBe('2000 characters, 200 shared');
  expect(partsText(splitterSchema.parse({ chunkTokens: 460, format: 'code' }))).toBe('460 tokens, 46 shared, as code');
});

test.each([
  ['markdown', 'markdown'],
  ['MD', 'markdown'],
  ['.htm', 'html'],
  ['Text/HTML; charset=utf-8', 'html'],
  ['text/plain', 'text'],
  ['code', 'code'],
  ['pdf', 'code'],
  ['', 'code'],
  [7, 'code'],
  [undefined, 'code'],
])('an object whose metadata says %j has the format %s', (type, format) => {
  expect(formatOf({ format: 'code', formatField: 'type' }, { type })).toBe(format);
});

test('metadata says nothing about the format unless the splitter names its field', () => {
  expect(formatOf({ format: 'code' }, { type: 'html' })).toBe('code');
  expect(formatOf({ format: 'code', formatField: 'toString' }, {})).toBe('code');
  expect(formatOf({}, {})).toBeUndefined();
});
