import type { Case } from '../case.ts';

export const operationCases: Case[] = [
  { operation: 'getMe', expect: 200 },
  { operation: 'health', expect: 200 },
  { operation: 'readiness', expect: 200 },
  { operation: 'metrics', expect: 200 },
];
