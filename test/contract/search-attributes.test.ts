import { expect, test } from 'vitest';
import { SEARCH_ATTRIBUTES } from '../../src/contract/names.ts';
import { KEYS, searchAttributes } from '../../src/contract/search-attributes.ts';

test('every search attribute that the product registers has one key of its type', () => {
  const keys = Object.values(KEYS).map(({ name, type }) => [name, type]);
  expect(Object.fromEntries(keys)).toEqual(SEARCH_ATTRIBUTES);
});

test('every fact of a task becomes the search attribute of its key, and a missing one none', () => {
  const createTime = '2026-01-31T12:00:00.000Z';
  const facts = {
    type: 'job',
    status: 'pending',
    parentId: 'p',
    replaces: 'r',
    jobName: 'n',
    jobLane: 'l',
    createTime,
    indexes: ['docs'],
    hasFailedItems: true,
  } as const;
  const found = searchAttributes(facts).map(({ key, value }) => [key.name, value]);
  const expected = { ...facts, createTime: new Date(createTime) };
  const names = Object.entries(expected).map(([fact, value]) => [KEYS[fact as keyof typeof KEYS].name, value]);
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(names));
  expect(searchAttributes({ status: 'done', parentId: null }).map(({ key }) => key.name)).toEqual(['TaskStatus']);
});
