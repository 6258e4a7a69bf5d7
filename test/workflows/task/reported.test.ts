import { expect, test } from 'vitest';
import type { Usage } from '../../../src/contract/budget.ts';
import type { BuildProgress } from '../../../src/contract/build-progress.ts';
import type { WaitsFor } from '../../../src/contract/waits.ts';
import { reportedBuild, reportedUsage, reportedWaits } from '../../../src/workflows/task/reported.ts';

const time = '2026-01-31T12:00:00.000Z';

test('a report with every field that an activity sends stays as it is', () => {
  const build: Required<BuildProgress> = {
    ...{ phase: 'loading tuples', percent: 40, etaSeconds: 90, givesWay: true, fits: false, time },
  };
  const waits: Required<WaitsFor> = {
    ...{ activity: 'copySlice', reason: 'ModelUnavailable', message: 'no answer', since: time, nextTry: time },
  };
  const usage: Required<Usage> = {
    ...{ calls: 3, tokens: 40, estimatedTokens: 5, usd: 0.01, reused: 6, truncated: 1 },
    budget: { usd: 2, tokens: 100, calls: 9 },
  };
  expect(reportedBuild(build)).toEqual(build);
  expect(reportedWaits(waits)).toEqual(waits);
  expect(reportedUsage(usage)).toEqual(usage);
});
