import { expect, test } from 'vitest';
import { scheduleRequestSchema } from '../../src/contract/schedule-request.ts';

const issuesOf = (input: unknown) =>
  scheduleRequestSchema
    .safeParse({ every: '1h', type: 'audit', input })
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

test('the input of a scheduled task is refused in the words of its call', () => {
  expect(issuesOf(undefined)).toEqual(['input: is required (an object)']);
  expect(issuesOf({ index: 5 })).toEqual(['input.index: must be a string, not a number']);
  expect(issuesOf({ index: 'docs', other: 1 })).toEqual(['input.other: is not a known field']);
  expect(issuesOf({ index: 'docs' })).toBeUndefined();
});
