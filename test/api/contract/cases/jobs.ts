import type { Case } from '../case.ts';

/** The world knows one job, `check`, which takes no input. */
const CALLS = {
  runJob: (name: string, body = {}) => ({ path: { name }, body }),
  runJobTask: (name: string, body = {}) => ({ body: { name, ...body } }),
};

export const jobCases: Case[] = [
  { operation: 'listJobs', expect: 200 },
  ...Object.entries(CALLS).flatMap(([operation, call]): Case[] => [
    { operation, expect: 202, given: () => call('check', { delay: '1h' }) },
    { operation, expect: 200, given: () => ({ ...call('check'), query: { wait: 'true' } }) },
    { operation, expect: 'JobUnknown', given: () => call('nobody') },
    { operation, expect: 'TaskLocked', given: async ({ ended }) => call('check', { taskId: await ended('delete') }) },
    { operation, expect: 'TemporalUnavailable', on: 'noTemporal', given: () => call('check') },
  ]),
];
