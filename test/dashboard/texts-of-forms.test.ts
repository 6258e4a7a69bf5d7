import { expect, it } from 'vitest';
import type { IndexInfo } from '../../src/contract/indexes.ts';
import { itemsOf } from '../../src/dashboard/indexes/items-of.ts';
import { queriesOf } from '../../src/dashboard/query-sets/queries-of.ts';
import { partnerOf } from '../../src/dashboard/search/partner.ts';
import { lineProblem } from '../../src/dashboard/ui/lines.ts';

const index = (name: string, more: Partial<IndexInfo> = {}) =>
  ({ name, aliases: [], lock: null, ...more }) as IndexInfo;

it('lines are objects or texts, and a line of an export is written with its vectors only where these are allowed', () => {
  const exported = { id: 'a', payload: 'a lion', uri: null, metadata: {}, originalId: null, version: 7, failed: false };
  const line = JSON.stringify({ ...exported, parts: [{ start: 0, end: 6, text: 'a lion', vector: [1, 0] }] });
  const text = `a ship\n${line}\n{"id":"b","payload":"a train"}`;
  const plain = index('docs', { versioning: 'internal' });
  const item = { id: 'a', payload: 'a lion', metadata: {} };
  const others = [{ id: 'line-1', payload: 'a ship' }, item, { id: 'b', payload: 'a train' }];
  expect(itemsOf(text, plain)).toEqual({ items: others, problem: null });
  const ready = itemsOf(text, { ...plain, readyVectors: true });
  expect(ready.items[1]).toEqual({ ...item, parts: [{ start: 0, end: 6, vector: [1, 0] }] });
});

it('a line that is not valid is named, and a query without an id gets the number of its line', () => {
  expect(queriesOf('big cat\n{"text":"small cat"}').items).toEqual([
    { id: 'line-1', text: 'big cat' },
    { id: 'line-2', text: 'small cat' },
  ]);
  expect(queriesOf('big cat\n{"text":').problem).toContain('line 2 is not valid JSON');
  expect(queriesOf('[1]').problem).toContain('line 1 is a list');
  expect(lineProblem('query', { path: '1.relevant.0.id', message: 'Enter a value.' })).toBe(
    'query 2, relevant.0.id: Enter a value.',
  );
  expect(lineProblem('query', { path: '0', message: 'Bad.' })).toBe('query 1: Bad.');
  expect(lineProblem('query', undefined)).toBeUndefined();
});

it('an index is compared with the other one of its reindex, with another version of it, or with none', () => {
  const lock = { source: 'wiki-v1', dest: 'encyclopedia' } as IndexInfo['lock'];
  const indexes = [
    index('docs-v1', { aliases: ['docs'] }),
    index('docs-v2'),
    index('wiki-v1', { lock }),
    index('encyclopedia', { lock }),
    index('alone'),
  ];
  expect(
    ['docs', 'docs-v2', 'wiki-v1', 'encyclopedia', 'alone', 'unknown'].map((name) => partnerOf(name, indexes)),
  ).toEqual(['docs-v2', 'docs-v1', 'encyclopedia', 'wiki-v1', '', '']);
});
