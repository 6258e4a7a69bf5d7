import { sql } from 'kysely';
import { expect, it } from 'vitest';
import type { Payload } from '../../src/contract/objects.ts';
import { textOf } from '../../src/pipeline/text-of.ts';
import { onBothDatabases } from '../support/databases.ts';

type Case = [payload: Payload, fields?: string[]];

const CASES: Case[] = [
  ['a plain text'],
  [''],
  ['😀 two units each 😀\u0001 and a mark'],
  [{ title: 'A', tags: ['x', '', 'y'], year: 2024, none: null }],
  [{ b: 'after 😀', a: { z: ['deep', ['deeper']], 10: 'ten', 9: 'nine' }, B: 'capital', é: 'accent' }],
  // UTF-16 orders these two keys otherwise than UTF-8 does.
  [{ '\uff5e': 'wide tilde', '😀': 'smile', a: 'first' }],
  [{ year: 2024 }],
  [['one', { two: 'two' }, 3]],
  [{ title: 'A', tags: ['x', 'y'], body: 'B' }, ['body', 'title', 'tags', 'missing', 'title.deeper']],
  [{ comments: [{ text: 'one' }, { text: 'two', by: 'me' }, 'three'] }, ['comments.text', 'comments.1', 'comments.01']],
  [{ 'a.b': 'whole key', a: { b: 'a path', c: { 'd.e': 'both' } } }, ['a.b', 'a.c.d.e', 'a']],
  [{ list: ['x'], length: 'own' }, ['list.length', 'length', 'list.0', 'list.5']],
  [
    [{ t: 'in a list' }, { t: ['more', 'of it'] }],
    ['t', '1.t', '1.t.1'],
  ],
];

onBothDatabases((database) => {
  it.each(CASES.map(([payload, fields]) => ({ payload, fields })))(
    'the text of each part of $payload by the fields $fields is that of the pipeline',
    async ({ payload, fields }) => {
      const { db } = database();
      const whole = textOf(payload, fields);
      const ranges = [
        [0, whole.length],
        [0, 0],
        ...Array.from({ length: whole.length }, (_, at) => [at, Math.min(whole.length, at + 7)] as const),
      ].filter(([from = 0, past = 0]) => whole.slice(from, past).isWellFormed());
      const { rows } = await sql<{ text: string }>`
      select reembed.part_text(${JSON.stringify(payload)}::jsonb, ${fields ?? null}::text[], int4range(first, past)) as text
      from unnest(${ranges.map(([from]) => from)}::int[], ${ranges.map(([, past]) => past)}::int[])
        with ordinality as ranges (first, past, place)
      order by place`.execute(db);
      expect(rows.map(({ text }) => text)).toEqual(ranges.map(([from, past]) => whole.slice(from, past)));
    },
  );
});
