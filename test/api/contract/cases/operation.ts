import type { Case } from '../case.ts';

export const operationCases: Case[] = [
  { operation: 'getMe', expect: 200 },
  { operation: 'decodePayloads', expect: 200 },
  { operation: 'encodePayloads', expect: 200 },
  { operation: 'health', expect: 200 },
  { operation: 'readiness', expect: 200 },
  { operation: 'readiness', expect: 'Stopping', on: 'stopping' },
  { operation: 'metrics', expect: 200 },
  { operation: 'serverInfo', expect: 200 },
  { operation: 'serverHealth', expect: 200 },
  { operation: 'doctor', expect: 200 },
  { operation: 'doctor', expect: 'DatabaseUnavailable', on: 'noDatabase' },
  { operation: 'doctor', expect: 'TemporalUnavailable', on: 'noTemporal' },
  { operation: 'taskStats', expect: 200, given: () => ({ query: { buckets: '2' } }) },
  { operation: 'taskStats', expect: 'InvalidInput', given: () => ({ query: { buckets: '61' } }) },
];
