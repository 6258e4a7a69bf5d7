import { describe, expect, test } from 'vitest';
import { readEvery, timeZoneProblem } from '../../src/contract/every.ts';

describe('the field every', () => {
  test.each([
    ['1m', 60],
    ['90s', 90],
    ['1d', 86_400],
    ['1500ms', 'an interval must be a whole number of seconds'],
    [3_600, 3_600],
    [0, 'an interval must be at least 1 second'],
    [-60, 'an interval must be at least 1 second'],
    ['500ms', 'an interval must be a whole number of seconds'],
    [Number.NaN, 'an interval must be a whole number of seconds'],
    ['99999d', 'an interval must be shorter than 10 years'],
  ])('accepts the interval %s', (every, read) => {
    expect(readEvery(every)).toEqual(typeof read === 'number' ? { kind: 'interval', seconds: read } : read);
  });

  test.each([
    ['*/15 * * * *', ['*/15 * * * *']],
    ['  0  9 * * mon-fri ', ['0 9 * * mon-fri']],
    ['0 9 * JAN,JUL-SEP *', ['0 9 * JAN,JUL-SEP *']],
    ['30 0 9 * * * 2090-2099', ['30 0 9 * * * 2090-2099']],
    ['@weekly', ['@weekly']],
    // Either day is enough, as in crontab; with a star in one of them there is no choice.
    ['0 0 13 * FRI', ['0 0 13 * *', '0 0 * * FRI']],
    ['0 0 0 13 * FRI *', ['0 0 0 13 * * *', '0 0 0 * * FRI *']],
    ['0 0 */2 * FRI', ['0 0 */2 * FRI']],
  ])('accepts the cron expression %s', (every, expressions) => {
    expect(readEvery(every)).toEqual({ kind: 'cron', expressions });
  });

  test.each([
    ['', /^must be an interval such as/],
    ['soon', /^must be an interval such as/],
    ['1 week', /^must be an interval such as/],
    ['* * * *', /^must be an interval such as/],
    ['@every 5m', /^must be an interval such as/],
    ['@reboot', /^must be an interval such as/],
    ['0 0 0 * * *', /^six fields are ambiguous/],
    ['61 * * * *', /^the minute "61" of the cron expression: "61" must be from 0 to 59/],
    ['0 24 * * *', /^the hour "24" of the cron expression: "24" must be from 0 to 23/],
    ['*/0 * * * *', /the step "0" must be a whole number above 0/],
    ['0 0 * * FRI-MON', /the range FRI-MON must begin with the lower value/],
    ['0 0 L * *', /^"L" is not a valid field/],
    ['0 0 ? * MON', /^"\?" is not a valid field/],
    ['0 0 * * 5#1', /^"5#1" is not a valid field/],
    ['0 0 30 2 *', /^no time matches it/],
    ['0 0 0 1 1 * 2020', /^no time matches it/],
  ])('refuses %j', (every, problem) => {
    expect(readEvery(every)).toMatch(problem);
  });
});

test.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+1', 'EST5EDT'])(
  'accepts the time zone %s',
  (zone) => expect(timeZoneProblem(zone)).toBeUndefined(),
);

test.each(['', 'berlin', 'europe/berlin', '+01:00', 'Local', 'Nope/Town', 'Europe/Berlin; x'])(
  'refuses the time zone %j',
  (zone) => expect(timeZoneProblem(zone)).toMatch(/^must be a time zone by name/),
);
