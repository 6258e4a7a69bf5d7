import fc from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { filterSchema } from '../../../src/contract/filters.ts';
import type { Json } from '../../../src/contract/json.ts';
import type { Db } from '../../../src/store/database.ts';
import { compileFilter } from '../../../src/store/filters/compile.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { anyFilter, anyMetadata } from './arbitraries.ts';
import { passes } from './passes.ts';

/** Which of the objects pass, by SQL. */
async function passing(db: Db, objects: readonly object[], filter: object): Promise<boolean[]> {
  const compiled = compileFilter(filter, sql`o.metadata`);
  const { rows } = await sql<{ passes: boolean | null }>`
    select ${compiled?.condition ?? sql`true`} as passes
    from unnest(${objects.map((object) => JSON.stringify(object))}::text[]::jsonb[]) with ordinality o(metadata, place)
    order by place`.execute(db);
  return rows.map((row) => row.passes as boolean);
}

onBothDatabases((database) => {
  it('SQL and a plain evaluation agree on which metadata passes a filter', async () => {
    let [yes, no] = [0, 0];
    const property = fc.asyncProperty(
      fc.array(anyMetadata, { minLength: 20, maxLength: 30 }),
      fc.array(anyFilter, { minLength: 5, maxLength: 10 }),
      async (objects, filters) => {
        for (const filter of filters) {
          expect(filterSchema.safeParse(filter).error?.issues).toBeUndefined();
          const expected = objects.map((object) => passes(object, filter));
          expect(await passing(database().db, objects, filter), JSON.stringify(filter)).toEqual(expected);
          for (const one of expected) one ? yes++ : no++;
        }
      },
    );
    await fc.assert(property, { numRuns: Number(process.env.REEMBED_FILTER_RUNS ?? 60) });
    // Otherwise the arbitraries would no longer test anything.
    expect(Math.min(yes, no)).toBeGreaterThan(300);
  }, 300_000);

  describe('an object passes a filter', () => {
    const metadata = {
      n: 5,
      price: 19.99,
      lang: 'en',
      tags: ['new', 'cat'],
      on: true,
      nothing: null,
      author: { name: 'Ada', born: '1815-12-10' },
      'a.b': 1,
      or: 'x',
      at: '2026-01-31T12:00:00+01:00',
    };
    it.each<[string, { [key: string]: Json }, boolean]>([
      ['whose number is in the range', { n: { gte: 5, lt: 6 } }, true],
      ['never whose text looks like a number', { lang: { gte: 0 } }, false],
      ['never whose number looks like a text', { n: { gte: '' } }, false],
      ['never for a missing field', { m: { lt: 10 } }, false],
      ['whose number is not a rounded one', { price: { gt: 19.989999999 } }, true],
      ['by one of several values', { lang: { in: ['de', 'en'] } }, true],
      ['by a value of another type', { n: { in: ['5', true] } }, false],
      ['that lacks the field of ne', { m: { ne: 1 } }, true],
      ['whose null is there', { nothing: { exists: true } }, true],
      ['whose null equals null', { nothing: { eq: null } }, true],
      ['whose missing field is not null', { m: { eq: null } }, false],
      ['by an element', { tags: { contains: 'cat' } }, true],
      ['by a part of a text', { 'author.name': { contains: 'da' } }, true],
      ['by a percent sign only literally', { 'author.name': { contains: 'A%' } }, false],
      ['by the start of a nested text', { author: { name: { startsWith: 'A' } } }, true],
      ['by a nested literal', { author: { name: 'Ada' } }, true],
      ['by a whole object only with eq', { author: { eq: { name: 'Ada' } } }, false],
      ['by a whole object in any order', { author: { eq: { born: '1815-12-10', name: 'Ada' } } }, true],
      ['by a name with a dot', { 'a\\.b': 1 }, true],
      ['by a name with a dot as it stands', { 'a.b': 1 }, true],
      ['by a path to a value', { 'author.name': 'Ada' }, true],
      ['by a name with a dot only as a path where there is an operator', { 'a.b': { gte: 1 } }, false],
      ['by a name that is no path', { '../../etc': 1 }, false],
      ['by a name of an operator', { '\\or': { startsWith: 'x' } }, true],
      [
        'by an instant in another zone',
        { at: { gte: { date: '2026-01-31T11:00Z' }, lte: { date: '2026-01-31T11:00Z' } } },
        true,
      ],
      ['by a day', { 'author.born': { lt: { date: '1900-01-01' } } }, true],
      ['never by a date in a text that is none', { lang: { lt: { date: '1900-01-01' } } }, false],
      ['by one of two filters', { or: [{ n: 1 }, { on: true }] }, true],
      ['unless a filter holds', { not: { or: [{ n: 1 }, { on: true }] } }, false],
      ['unless a field has a value', { lang: { not: 'en' } }, false],
      ['by alternatives of one field', { n: { or: [{ lt: 1 }, { gt: 4 }] } }, true],
    ])('%s', async (_which, filter, expected) => {
      expect(await passing(database().db, [metadata], filter)).toEqual([expected]);
      expect(passes(metadata, filter)).toBe(expected);
    });
  });

  it('a filter is never part of the text of a statement', async () => {
    const { db } = database();
    const name = "x' or true --";
    const compiled = compileFilter({ [name]: { startsWith: name } }, sql`o.metadata`);
    const { sql: text } = sql`select ${compiled?.condition}`.compile(db);
    expect(text).not.toContain('or true');
    expect(await passing(db, [{ [name]: name }, {}], { [name]: { startsWith: name } })).toEqual([true, false]);
  });
});
