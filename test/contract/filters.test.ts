import { describe, expect, it } from 'vitest';
import { type Filter, filterSchema } from '../../src/contract/filters.ts';
import { fieldIssues } from '../../src/contract/issues.ts';

function problemsOf(filter: unknown): string[] {
  const parsed = filterSchema.safeParse(filter);
  return parsed.success ? [] : fieldIssues(parsed.error, ['filter']).map(({ path, message }) => `${path}: ${message}`);
}

/** A filter of this many levels. */
function nested(levels: number): unknown {
  let filter: unknown = { n: { gt: 1 } };
  for (let level = 2; level < levels; level++) filter = { not: filter };
  return filter;
}

describe('a filter', () => {
  it.each<[string, Filter]>([
    ['in the short form', { lang: 'en', tags: ['a'], author: { id: 5 }, empty: {} }],
    [
      'with short names that are no operators',
      { title: { id: 1, en: 'x', it: 'y', is: 'z', no: 'n', min: 1, max: 2, date: 'd' } },
    ],
    [
      'with longer names that are no operators',
      { page: { content: 'x', contents: 'y', contacts: 'c', container: 'd', lists: 'z', start: 1, prefix: 'p' } },
    ],
    [
      'with all operators',
      { a: { eq: { in: 1 }, ne: [], in: [1, 'a'], nin: [null] }, b: { exists: true, contains: 'a', startsWith: 'b' } },
    ],
    [
      'with ranges of one type',
      { n: { gt: 1, lte: 2 }, t: { gte: 'a' }, at: { lt: { date: '2024-02-29T23:59:59.123456789+14:00' } } },
    ],
    ['with operators in an array, which are a literal', { a: [{ gt_: 1, 'x.y': 2 }] }],
    ['at the limit of levels', nested(20) as Filter],
    ['at the limit of conditions', { or: Array.from({ length: 100 }, (_, n) => ({ n })) }],
    ['at the limit of values', { n: { in: Array.from({ length: 1_000 }, (_, n) => n) } }],
  ])('%s is accepted unchanged', (_which, filter) => {
    expect(problemsOf(filter)).toEqual([]);
    expect(filterSchema.parse(filter)).toBe(filter);
  });

  it.each<[string, unknown, string]>([
    ['that is no object', [1], 'filter: must be an object'],
    [
      'with an operator in disguise',
      { n: { gt_: 5 } },
      'filter.n.gt_: is not an operator: did you mean gt? If not, a field of this name is written \\gt_',
    ],
    ['in the style of MongoDB', { n: { $gte: 5 } }, 'filter.n.$gte: is not an operator: did you mean gte?'],
    ['with a sign', { n: { '>=': 5 } }, 'filter.n.>=: is not an operator: did you mean gte?'],
    ['with an operator in capitals', { n: { GTE: 5 } }, 'filter.n.GTE: is not an operator: did you mean gte?'],
    [
      'with an operator in snake case',
      { n: { starts_with: 'a' } },
      'filter.n.starts_with: is not an operator: did you mean startsWith?',
    ],
    ['with a typo', { n: { exsits: true } }, 'filter.n.exsits: is not an operator'],
    ['with not in', { n: { notIn: [1] } }, 'filter.n.notIn: is not an operator: did you mean nin?'],
    ['with OR in capitals', { OR: [{ a: 1 }] }, 'filter.OR: is not an operator: did you mean or?'],
    [
      'with a misspelled operator in a deep literal',
      { a: { b: { c: 1, lte_: 2 } } },
      'filter.a.b.lte_: is not an operator: did you mean lte?',
    ],
    ['with an operator but no field', { gte: 5 }, 'filter.gte: is an operator and needs a field'],
    ['with operators beside fields', { a: { gte: 5, b: 1 } }, 'filter.a.b: stands beside the operator gte'],
    ['with a range over mixed types', { n: { gt: 5, lt: 'x' } }, 'filter.n: gt is a number and lt is a text'],
    [
      'with a range over a date and a text',
      { n: { gt: { date: '2026-01-31' }, lt: '2027' } },
      'filter.n: gt is a date and lt is a text',
    ],
    [
      'with a range over booleans',
      { n: { gt: true } },
      'filter.n.gt: must be a number, a text or a date such as {"date": "2026-01-31"}, not a boolean',
    ],
    ['with a range over an object', { n: { gt: { day: 1 } } }, 'filter.n.gt: must be a number, a text or a date'],
    [
      'with a date that does not exist',
      { n: { gt: { date: '2026-02-29' } } },
      'filter.n.gt: date must be a date or a time in ISO 8601',
    ],
    ['with an empty in', { n: { in: [] } }, 'filter.n.in: must have a value'],
    ['with an in that is no array', { n: { in: 'a' } }, 'filter.n.in: must be an array of values, not a text'],
    ['with an empty or', { or: [] }, 'filter.or: must have a filter'],
    ['with an or that is no array', { or: { a: 1 } }, 'filter.or: must be an array of filters, not an object'],
    ['with an or over no filter', { or: [{ a: 1 }, 5] }, 'filter.or.1: must be a filter, not a number'],
    ['with an empty not', { not: {} }, 'filter.not: must have a condition'],
    ['with exists of no boolean', { n: { exists: 'yes' } }, 'filter.n.exists: must be true or false, not a text'],
    ['with startsWith of no text', { n: { startsWith: 5 } }, 'filter.n.startsWith: must be a text, not a number'],
    [
      'with contains of an object',
      { n: { contains: {} } },
      'filter.n.contains: must be a text, a number, a boolean or null, not an object',
    ],
    ['with an empty name in a path', { 'a..b': { gte: 1 } }, 'filter.a..b: has an empty name beside a dot'],
    ['with a backslash at the end of a name', { 'a\\': { gte: 1 } }, 'filter.a\\: ends with a backslash'],
    ['with a number beyond 2^53', { n: { gt: 2 ** 53 } }, 'filter.n.gt: must be between'],
    ['with an infinite number', { n: { lt: Number.POSITIVE_INFINITY } }, 'filter.n.lt: must be a finite number'],
    ['with NUL', { n: { startsWith: '\0' } }, 'filter.n.startsWith: must not contain NUL characters'],
    [
      'that is too deep',
      nested(22),
      'filter.not.not.not.not.not.not.not.not.not.not.not.not.not.not.not.not.not.not.not.not: must not be nested deeper than 20 levels',
    ],
    [
      'with too many conditions',
      { or: Array.from({ length: 101 }, (_, n) => ({ n })) },
      'filter.or.100: is one of more than 100 conditions',
    ],
    [
      'with too many values',
      { a: { in: Array.from({ length: 600 }, (_, n) => n) }, b: { nin: Array.from({ length: 401 }, (_, n) => n) } },
      'filter.b.nin: must not have more than 1000 values',
    ],
  ])('%s is refused', (_which, filter, message) => {
    const problems = problemsOf(filter);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.slice(0, message.length)).toBe(message);
  });

  it('keeps a field named __proto__', () => {
    const filter = JSON.parse('{"__proto__": {"__proto__": 1, "gte_": 1}}');
    expect(problemsOf(filter)).toEqual([
      'filter.__proto__.gte_: is not an operator: did you mean gte? If not, a field of this name is written \\gte_',
    ]);
  });
});
