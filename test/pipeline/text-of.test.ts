import { expect, test } from 'vitest';
import type { Payload } from '../../src/contract/objects.ts';
import { textOf } from '../../src/pipeline/text-of.ts';

const article: Payload = {
  title: 'Cats',
  year: 2024,
  live: true,
  none: null,
  body: { text: 'purr', notes: ['a', 'b'] },
  comments: [{ text: 'one', by: { name: 'Ann' } }, { text: 'two' }, 'bare'],
  'meta.lang': 'en',
};

test.each<[string, Payload, string[] | undefined, string]>([
  ['a text as it is', ' a ', undefined, ' a '],
  ['a text as it is, whatever the fields', 'a', ['title'], 'a'],
  ['all strings by sorted key', article, undefined, 'a\nb\npurr\nAnn\none\ntwo\nbare\nen\nCats'],
  ['fields in their own order', article, ['title', 'body.text'], 'Cats\npurr'],
  ['all strings below a field', article, ['body'], 'a\nb\npurr'],
  ['a field of each element', article, ['comments.text'], 'one\ntwo'],
  ['a field deep in elements', article, ['comments.by.name'], 'Ann'],
  ['one element', article, ['comments.1.text', 'body.notes.0'], 'two\na'],
  ['a key with dots', article, ['meta.lang'], 'en'],
  ['nothing for what is missing or no text', article, ['year', 'live', 'none', 'nope', 'title.x', 'body.nope'], ''],
  ['nothing for inherited properties', { a: 'x' }, ['constructor', 'constructor.name', '__proto__', 'toString'], ''],
  ['a field named length of elements', [{ length: 'long' }], ['length'], 'long'],
  ['a field named __proto__ of the user', JSON.parse('{"__proto__":"mine"}'), ['__proto__'], 'mine'],
  ['an array', ['x', { b: 'z', a: 'y' }], undefined, 'x\ny\nz'],
  ['nothing of an empty object', {}, undefined, ''],
])('the text of a payload has %s', (_name, payload, fields, text) => {
  expect(textOf(payload, fields)).toBe(text);
});

test('the order in which keys were written does not matter, since jsonb does not keep it', () => {
  expect(textOf({ b: '2', a: '1' }, undefined)).toBe(textOf({ a: '1', b: '2' }, undefined));
});
