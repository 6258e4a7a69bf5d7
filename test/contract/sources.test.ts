import { expect, test } from 'vitest';
import { fieldIssues } from '../../src/contract/issues.ts';
import { fillTemplate, joinTexts, objectIdOf } from '../../src/contract/source-text.ts';
import { contentColumns, sourceDefinitionSchema, tableOf, whereColumns } from '../../src/contract/sources.ts';

const given = (over: object) => ({ index: 'docs', table: 'articles', text: ['body'], ...over });
const pathsOf = (over: object) => {
  const { error } = sourceDefinitionSchema.safeParse(given(over));
  return error ? fieldIssues(error).map(({ path }) => path) : [];
};

test.each([
  ['articles', { schema: 'public', name: 'articles' }],
  ['shop.Articles', { schema: 'shop', name: 'Articles' }],
  [
    { schema: 'a.b', name: 'c"d' },
    { schema: 'a.b', name: 'c"d' },
  ],
])('the table %j has a schema and a name', (table, expected) => {
  expect(tableOf(sourceDefinitionSchema.parse(given({ table })))).toEqual(expected);
});

test.each([
  [{ table: 'a.b.c' }, 'table'],
  [{ table: '' }, 'table'],
  [{ table: { schema: 'ü'.repeat(32), name: 'a' } }, 'table.schema'],
  [{ text: [] }, 'text'],
  [{ text: ['a', 'a'] }, 'text.1'],
  [{ text: { template: 'no column' } }, 'text.template'],
  [{ text: { template: '{open' } }, 'text.template'],
  [{ text: { template: 'close}' } }, 'text.template'],
  [{ text: { template: '{}' } }, 'text.template'],
  [{ text: undefined }, 'text'],
  [{ uriColumn: 'link' }, 'text'],
  [{ connectionEnv: 'postgres://secret' }, 'connectionEnv'],
  [{ where: { price: { gtt: 1 } } }, 'where.price.gtt'],
  [{ follow: 'poll' }, 'updatedAt'],
  [{ updatedAt: 'changed' }, 'updatedAt'],
  [{ columns: ['a'] }, 'columns'],
])('the definition with %j is refused by its field', (over, path) => {
  expect(pathsOf(over)).toEqual([path]);
});

test('the columns of the content are those of text, address, metadata and filter, each once', () => {
  const definition = sourceDefinitionSchema.parse(
    given({
      text: { template: '{title} {{no}} {body} {title}' },
      metadata: ['lang', 'body'],
      where: { or: [{ lang: 'en' }, { price: { gt: 1 } }] },
    }),
  );
  expect(contentColumns(definition)).toEqual(['title', 'body', 'lang', 'price']);
});

test('a name with dots in a filter is a path below a column', () => {
  const columns = (where: object) => whereColumns(sourceDefinitionSchema.parse(given({ where })));
  expect(columns({ 'data.lang': 'en', year: { gte: 2020 } })).toEqual(['data', 'year']);
  expect(columns({ 'a\\.b': 1 })).toEqual(['a.b']);
  expect(columns({ not: { data: { deep: { eq: 1 } } } })).toEqual(['data']);
});

test('a template is filled with the texts of columns, null is empty', () => {
  expect(fillTemplate('{{{title}}}: {body}!', { title: 'T', body: null })).toBe('{T}: !');
});

test('columns are joined by empty lines, without nulls', () => {
  expect(joinTexts(['a', 'b', 'c', 'd'], { a: 'one', b: null, c: '', d: 'two' })).toBe('one\n\ntwo');
});

test('no two keys have the same id', () => {
  expect(objectIdOf(['7'])).toBe('7');
  expect(objectIdOf(['a,b', 'c'])).not.toBe(objectIdOf(['a', 'b,c']));
  expect(objectIdOf(['a', 'b'])).toBe('["a","b"]');
});
