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

const SAME_VECTOR: Behaviour = {
  kind: 'raw',
  status: 200,
  body: JSON.stringify({ data: [{ index: 0, embedding: [1, 2, 3, 4, 5, 6, 7, 8] }] }),
};

/** The answers of `POST /v1/embed`, which calls the model as a search does. */
const embedCases: Case[] = [
  { operation: 'embed', expect: 200, given: async ({ index }) => ({ body: { index: await index(), texts: ['a'] } }) },
  { operation: 'embed', expect: 'IndexNotFound', given: () => ({ body: { index: 'nowhere', texts: ['a'] } }) },
  {
    operation: 'embed',
    expect: 'IndexDeleting',
    given: async ({ deletingIndex }) => ({ body: { index: await deletingIndex(), texts: ['a'] } }),
  },
  ...FAILURES.map(
    ([expect, behaviour]): Case => ({
      operation: 'embed',
      expect,
      given: async ({ indexWhoseModel }) => ({ body: { index: await indexWhoseModel(behaviour), texts: ['a'] } }),
    }),
  ),
  {
    operation: 'embed',
    expect: 'ModelSameVector',
    given: async ({ indexWhoseModel, ask }) => {
      const index = await indexWhoseModel(SAME_VECTOR, 'same');
      await ask('POST', '/v1/embed', { index, texts: ['one text'] });
      return { body: { index, texts: ['another text'] } };
    },
  },
  {
    operation: 'embed',
    expect: 'SearchTimeout',
    given: async ({ indexWhoseModel }) => ({
      body: { index: await indexWhoseModel({ kind: 'hang' }), texts: ['a'], timeoutSeconds: 0.5 },
    }),
  },
  {
    operation: 'embed',
    expect: 'ModelRefused',
    given: async ({ indexOfModel }) => {
      const index = await indexOfModel({ name: 'm', dimensions: 8, baseUrl: 'http://169.254.169.254/v1' });
      return { body: { index, texts: ['a'] } };
    },
  },
];

/** The answers that depend on a write. */
const writeCases: Case[] = [
  {
    operation: 'awaitWrite',
    expect: 200,
    given: async ({ writeTo }) => {
      const { index, token } = await writeTo('done');
      return { path: { index }, query: { token } };
    },
  },
  { operation: 'awaitWrite', expect: 'IndexNotFound', given: () => ({ path: { index: 'nowhere' } }) },
  {
    operation: 'awaitWrite',
    expect: 'TaskNotFound',
    given: async ({ index }) => ({ path: { index: await index() }, query: { token: 'no-such-task' } }),
  },
  {
    operation: 'awaitWrite',
    expect: 'TemporalUnavailable',
    on: 'noTemporal',
    given: async ({ index }) => ({ path: { index: await index() } }),
  },
  {
    operation: 'search',
    expect: 'TaskNotFound',
    given: async ({ index }) => ({ path: { index: await index() }, body: { text: 'a', after: 'no-such-task' } }),
  },
  {
    operation: 'search',
    expect: 'TemporalUnavailable',
    on: 'noTemporal',
    given: async ({ index }) => ({ path: { index: await index() }, body: { text: 'a', after: 'a-task' } }),
  },
  {
    operation: 'search',
    expect: 'WriteFailed',
    given: async ({ writeTo }) => {
      const { index, token } = await writeTo('failed');
      return { path: { index }, body: { text: 'a', after: token } };
    },
  },
];

export const searchCases: Case[] = [
  ...embedCases,
  ...writeCases,
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
      const index = await indexWhoseModel(SAME_VECTOR);
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
