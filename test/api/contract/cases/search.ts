import type { ErrorType } from '../../../../src/contract/errors.ts';
import type { Behaviour } from '../../../support/embedding-server.ts';
import type { Case } from '../case.ts';

const FAILURES: [ErrorType, Behaviour][] = [
  ['ModelRejectedInput', { kind: 'error', status: 400 }],
  ['ModelUnauthorized', { kind: 'error', status: 401 }],
  ['ModelNotFound', { kind: 'error', status: 404 }],
  ['ModelRateLimited', { kind: 'error', status: 429, headers: { 'retry-after': '7' } }],
  ['ModelUnavailable', { kind: 'error', status: 500 }],
  ['ModelQuotaUsedUp', { kind: 'error', status: 402 }],
  ['ModelBadAnswer', { kind: 'nullVector' }],
  ['ModelWrongDimension', { kind: 'wrongDimension', dimensions: 3 }],
];

export const searchCases: Case[] = [
  ...FAILURES.map(
    ([expect, behaviour]): Case => ({
      operation: 'search',
      expect,
      given: async ({ indexWhoseModel }) => ({ path: { index: await indexWhoseModel(behaviour) } }),
    }),
  ),
  {
    operation: 'search',
    expect: 'ModelSameVector',
    given: async ({ indexWhoseModel, ask }) => {
      const body = JSON.stringify({ data: [{ index: 0, embedding: [1, 2, 3, 4, 5, 6, 7, 8] }] });
      const index = await indexWhoseModel({ kind: 'raw', status: 200, body });
      await ask('POST', `/v1/indexes/${index}/search`, { text: 'one text' });
      return { path: { index }, body: { text: 'another text' } };
    },
  },
  {
    operation: 'searchBatch',
    expect: 200,
    given: async ({ index }) => ({ path: { index: await index() }, body: { searches: [{ text: 'a' }, { id: 'b' }] } }),
  },
  { operation: 'searchBatch', expect: 'IndexNotFound', given: () => ({ path: { index: 'nowhere' } }) },
  {
    operation: 'searchBatch',
    expect: 'IndexDeleting',
    given: async ({ deletingIndex }) => ({ path: { index: await deletingIndex() } }),
  },
  {
    operation: 'searchMany',
    expect: 200,
    given: async ({ index }) => ({ body: { text: 'a lion', indexes: [await index(), 'nowhere'] } }),
  },
  {
    operation: 'search',
    expect: 'SearchTimeout',
    given: async ({ indexWhoseModel }) => ({
      path: { index: await indexWhoseModel({ kind: 'hang' }) },
      body: { text: 'a lion', timeoutSeconds: 0.5 },
    }),
  },
  {
    operation: 'search',
    expect: 'ModelRefused',
    given: async ({ indexOfModel }) => ({
      path: { index: await indexOfModel({ name: 'm', dimensions: 8, baseUrl: 'http://169.254.169.254/v1' }) },
    }),
  },
];
