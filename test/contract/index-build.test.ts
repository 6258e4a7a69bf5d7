import { describe, expect, test } from 'vitest';
import { type BuildTimes, chooseIndexBuild, forecastOf, memoryWarning } from '../../src/contract/index-build.ts';

const times = (change: Partial<BuildTimes> = {}): BuildTimes => ({
  ...{ copy: 100, build: 50, inserts: 200, split: { share: 0.5, build: 20 }, fits: true, isLive: false },
  ...change,
});

test('the forecast of each way adds up the copy, the build and the inserts that wait for nothing', () => {
  expect(forecastOf(times())).toEqual({ after: 150, during: 200, split: 50 + 20 + 100 });
  expect(forecastOf(times({ inserts: 10 }))).toEqual({ after: 150, during: 100, split: 50 + 20 + 50 });
});

describe('the rule of auto', () => {
  test.each([
    ['during, if the inserts fit into the time of a slow model', { inserts: 90 }, 'during', 'fit into the time'],
    ['after, if inserts take longer than copy and build', {}, 'after', 'take longer than the copy'],
    ['during, if inserts are hardly slower: nothing rules for long', { inserts: 160 }, 'during', 'no long statement'],
    ['during, if inserts are faster than a build after the copy', { inserts: 120 }, 'during', 'less time than a build'],
    ['during, if it is slower, but searches and writes go on', { isLive: true }, 'during', 'no long statement'],
    ['after, if it is much slower, though searches go on', { isLive: true, inserts: 400 }, 'after', 'take longer'],
    [
      'split, if a build of everything is slow on disk and so are inserts',
      { fits: false, build: 300, inserts: 400, split: { share: 0.3, build: 5 } },
      'split',
      '30 % of the objects fits into the memory',
    ],
  ] as const)('chooses %s', (_name, change, chosen, why) => {
    expect(chooseIndexBuild(times(change))).toMatchObject({ chosen, why: expect.stringContaining(why) });
  });

  test('never splits a build that fits into its memory', () => {
    const fast = times({ inserts: 400, split: { share: 0.9, build: 1 } });
    expect(forecastOf(fast).split).toBeLessThan(forecastOf(fast).after);
    expect(chooseIndexBuild(fast).chosen).toBe('after');
  });
});

test('the warning of a build that does not fit names both sizes and the setting', () => {
  const MB = 1024 * 1024;
  expect(memoryWarning(300 * MB, 256 * MB)).toMatch(/needs 300 MB and may use 256 MB.*REEMBED_INDEX_MEMORY_MB/);
});
