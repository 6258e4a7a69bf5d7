import { expect, test } from 'vitest';
import { Random } from '../random.ts';
import { KINDS, planPoints, whereIn } from './points.ts';
import type { Statement } from './tap.ts';

const background = (sql: string, before: string[] = []): Statement => ({
  ...{ sql, before, application: 'reembed background' },
});
const START = 'start transaction';
const ROWS = 'insert into "reembed"."objects_3" as stored (index_no) select 1';

test('each kind of point occurs before any repeats, the second time at another moment', () => {
  const points = planPoints(new Random(5), KINDS.length * 2);
  expect(new Set(points.slice(0, KINDS.length).map(({ kind }) => kind))).toEqual(new Set(KINDS));
  expect(new Set(points.map(({ kind, moment }) => `${kind} ${moment}`)).size).toBe(points.length);
});

test('a copy is distinguished from a write by the name of its session', () => {
  expect(whereIn({ kind: 'copy', moment: 'within' }, background(ROWS, [START]))).toBe('within');
  expect(whereIn({ kind: 'write', moment: 'within' }, background(ROWS, [START]))).toBeNull();
});

test('the end of a transaction counts when the statement was in it', () => {
  const commit = background('commit', [START, ROWS]);
  expect(whereIn({ kind: 'copy', moment: 'commit' }, commit)).toBe('before');
  expect(whereIn({ kind: 'copy', moment: 'committed' }, commit)).toBe('after');
  expect(whereIn({ kind: 'drain', moment: 'commit' }, commit)).toBeNull();
  expect(whereIn({ kind: 'copy', moment: 'commit' }, background(ROWS, [START]))).toBeNull();
});

test('a statement outside of a transaction is its own end', () => {
  const build = background('create index concurrently "parts_3_hnsw" on x\n using hnsw (y)');
  expect(whereIn({ kind: 'build', moment: 'commit' }, build)).toBe('after');
  expect(whereIn({ kind: 'build', moment: 'within' }, build)).toBe('within');
});
