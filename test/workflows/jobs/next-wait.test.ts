import { describe, expect, test } from 'vitest';
import { nextWait } from '../../../src/workflows/jobs/next-wait.ts';

const HOUR = 3_600;
/** The longest duration that an option can have. */
const LONGEST = 99_999 * 24 * HOUR;
/** Events of one check: a timer and an activity, each with a workflow task. */
const EVENTS = 11;
/** A Temporal server ends a workflow with more events. */
const MAX_EVENTS = 51_200;

function waitsUntil(seconds: number, { first, max }: { first: number; max: number }): number[] {
  const waits = [first];
  let waited = first;
  while (waited < seconds) {
    waits.push(nextWait(waits.at(-1) as number, max, 1_000 * waited));
    waited += waits.at(-1) as number;
  }
  return waits;
}

describe.each([
  { first: 2, max: 60 },
  { first: 60, max: 600 },
])('the waits of a job between two checks (%j)', (given) => {
  test('double up to their maximum, which holds for an hour', () => {
    const waits = waitsUntil(HOUR, given);
    expect(waits.slice(0, 3)).toEqual([given.first, 2 * given.first, 4 * given.first]);
    expect(Math.max(...waits)).toBe(given.max);
  });

  test('are so few over the longest wait that the history can hold them', () => {
    expect(EVENTS * waitsUntil(LONGEST, given).length).toBeLessThan(MAX_EVENTS / 2);
  });

  test('are never longer than a hundredth of the time that the job has waited, once that is more than their maximum', () => {
    const waits = waitsUntil(30 * 24 * HOUR, given);
    expect(Math.max(...waits)).toBeLessThanOrEqual(0.01 * 31 * 24 * HOUR);
  });
});
