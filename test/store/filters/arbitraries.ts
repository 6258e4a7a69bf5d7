import fc from 'fast-check';
import type { Json } from '../../../src/contract/json.ts';

/** Few names and values, so that filters match something. Names include operators, paths and keys of prototypes. */
const NAMES = ['a', 'b', 'n', 'a.b', 'or', 'gte', '__proto__', 'constructor', '0', 'ü"\\'];
const name = fc.constantFrom(...NAMES);

const DATES = [
  '2026-01-31',
  '2026-01-31T00:00:00Z',
  '2026-01-31T01:00:00+01:00',
  '2026-01-31T00:00',
  '2026-01-30T23:59:59.999Z',
  '2024-02-29',
  '2023-02-28T23:30:00-14:00',
  '0001-01-01',
  '9999-12-31T23:59:59Z',
];
const NO_DATES = [
  '2023-02-29',
  '2026-13-01',
  '2026-1-1',
  '0000-01-01',
  '2026-01-31T25:00Z',
  'today',
  '2026-01-31 00:00',
];
const TEXTS = [
  '',
  'a',
  'ab',
  'b',
  'A',
  'a%',
  'a_b',
  'ä',
  '\u{1f600}',
  '\uffff',
  '5',
  'true',
  'null',
  "'; drop",
  '{}',
  ...DATES,
  ...NO_DATES,
];
const NUMBERS = [
  0,
  -1,
  1,
  5,
  5.5,
  0.1,
  1e-7,
  1e300,
  -1e300,
  Number.MAX_SAFE_INTEGER,
  Number.MAX_SAFE_INTEGER - 1,
  0.30000000000000004,
];

const text = fc.constantFrom(...TEXTS);
const number = fc.constantFrom(...NUMBERS);
const scalar: fc.Arbitrary<Json> = fc.oneof(text, number, fc.boolean(), fc.constant(null));

/** Builds an object with own fields, `__proto__` included. */
const objectOf = (
  field: fc.Arbitrary<string>,
  value: fc.Arbitrary<Json>,
  size: { minLength?: number; maxLength: number },
) =>
  fc.uniqueArray(fc.tuple(field, value), { ...size, selector: ([key]) => key }).map((fields) => {
    const object = {};
    for (const [key, inner] of fields) {
      Object.defineProperty(object, key, { value: inner, enumerable: true, writable: true, configurable: true });
    }
    return object as { [key: string]: Json };
  });

const values = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    objectOf(name, tie('value'), { maxLength: 3 }),
  ),
}));
const anyValue = values.value;

export const anyMetadata = objectOf(name, anyValue, { maxLength: 4 });

/** How a name is written so that it is neither a path nor an operator. */
const written = (plain: string) =>
  plain === 'a' || plain === 'b' || plain === 'n' || plain === '0' ? plain : plain.replaceAll(/./gsu, '\\$&');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.map(written).join('.'));

const bound = fc.constantFrom('gt', 'gte', 'lt', 'lte');
const range = fc
  .oneof(
    fc.tuple(number, number),
    fc.tuple(text, text),
    fc.tuple(fc.constantFrom(...DATES), fc.constantFrom(...DATES)).map((pair) => pair.map((date) => ({ date }))),
  )
  .chain(([first, second]) =>
    fc.tuple(bound, bound).map(([one, two]) => ({ [one]: first, [two]: second }) as { [key: string]: Json }),
  );
const list = fc.array(anyValue, { minLength: 1, maxLength: 4 });
const longList = fc.array(scalar, { minLength: 31, maxLength: 40 });

const comparison: fc.Arbitrary<{ [key: string]: Json }> = fc.oneof(
  range,
  fc.record({ eq: anyValue }),
  fc.record({ ne: anyValue }),
  fc.record({ in: fc.oneof(list, longList) }),
  fc.record({ nin: fc.oneof(list, longList) }),
  fc.record({ exists: fc.boolean() }),
  fc.record({ contains: scalar }),
  fc.record({ startsWith: text }),
  fc.record({ exists: fc.boolean(), ne: scalar, startsWith: text }),
);

/** A value in the short form: its objects hold no operators and no paths. */
const literal = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 2 }),
  objectOf(fc.constantFrom('a', 'b', 'n'), scalar, { maxLength: 2 }),
);

const filters = fc.letrec<{ filter: Json; field: Json }>((tie) => ({
  field: fc.oneof(
    { depthSize: 'small' },
    comparison,
    literal,
    fc.record({ not: fc.oneof(scalar, comparison) }),
    fc.record({ or: fc.array(fc.oneof(scalar, comparison), { minLength: 1, maxLength: 2 }) }),
    objectOf(path, tie('field'), { minLength: 1, maxLength: 2 }),
  ),
  filter: fc.oneof(
    { depthSize: 'small' },
    objectOf(path, tie('field'), { minLength: 1, maxLength: 2 }),
    fc.record({ not: tie('filter') }),
    fc.record({ or: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ and: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
  ),
}));
export const anyFilter = filters.filter as fc.Arbitrary<{ [key: string]: Json }>;
