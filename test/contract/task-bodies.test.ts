import { expect, test } from 'vitest';
import { momentSchema } from '../../src/contract/task-bodies.ts';

test.each(['2026-01-31T12:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999+14:00'])(
  '%s is a moment',
  (text) => {
    expect(momentSchema.parse(text)).toBe(text);
  },
);

test.each(['9999-12-31T23:59:59-14:00', '0000-01-01T00:00:00+14:00'])(
  '%s is of a year in UTC that Temporal does not read',
  (text) => {
    expect(momentSchema.safeParse(text).error?.issues).toMatchObject([
      { message: 'must be of the years 0000 to 9999 in UTC' },
    ]);
  },
);

test('a text that is not a time has one problem', () => {
  expect(momentSchema.safeParse('yesterday').error?.issues.map(({ message }) => message)).toEqual([
    'a time such as 2026-01-31T12:00:00Z',
  ]);
});
