import type { ErrorType } from '../../../../src/contract/errors.ts';
import type { Behaviour } from '../../../support/embedding-server.ts';
import type { Case } from '../case.ts';

const FAILURES: [ErrorType, Behaviour][] = [
  ['ModelRejectedInput', { kind: 'error', status: 400 }],
  ['ModelUnauthorized', { kind: 'error', status: 401 }],
  ['ModelNotFound', { kind: 'error', status: 404 }],
  ['ModelRateLimited', { kind: 'error', status: 429, headers: { 'retry-after': '7' } }],
  ['ModelUnavailable', { kind: 'error', status: 500 }],
  ['ModelWrongDimension', { kind: 'wrongDimension', dimensions: 3 }],
];

export const searchCases: Case[] = FAILURES.map(([expect, behaviour]) => ({
  operation: 'search',
  expect,
  given: async ({ indexWhoseModel }) => ({ path: { index: await indexWhoseModel(behaviour) } }),
}));
