import type { Case } from '../case.ts';

const HASH = { provider: 'hash', dimensions: 3 };

export const indexCases: Case[] = [
  { operation: 'createIndex', expect: 201, given: () => ({ path: { index: 'new-one' } }) },
  {
    operation: 'createIndex',
    expect: 200,
    given: async ({ index }) => ({ path: { index: await index() }, body: { model: HASH } }),
  },
  {
    operation: 'createIndex',
    expect: 'IndexExists',
    given: async ({ index }) => ({ path: { index: await index() }, body: { model: HASH, metric: 'l2' } }),
  },
  {
    operation: 'createIndex',
    expect: 'NameTaken',
    given: async ({ index, alias }) => ({ path: { index: await alias(await index()) } }),
  },
  {
    operation: 'createIndex',
    expect: 'IndexDeleting',
    given: async ({ deletingIndex }) => ({ path: { index: await deletingIndex() }, body: { model: HASH } }),
  },
  { operation: 'listIndexes', expect: 200, given: ({ lockedIndex }) => lockedIndex().then(() => ({})) },
  {
    operation: 'getIndex',
    expect: 200,
    given: async ({ lockedIndex }) => ({ path: { index: (await lockedIndex()).source } }),
  },
  { operation: 'getIndex', expect: 'IndexNotFound', given: () => ({ path: { index: 'nowhere' } }) },
  {
    operation: 'patchIndex',
    expect: 200,
    given: async ({ index }) => ({ path: { index: await index() }, body: { readyVectors: true } }),
  },
  {
    operation: 'patchIndex',
    expect: 202,
    given: async ({ index }) => ({ path: { index: await index() }, body: { vectorIndex: { m: 8 } } }),
  },
  {
    operation: 'patchIndex',
    expect: 'IndexNotFound',
    given: () => ({ path: { index: 'nowhere' }, body: { readyVectors: true } }),
  },
  {
    operation: 'patchIndex',
    expect: 'IndexDeleting',
    given: async ({ deletingIndex }) => ({ path: { index: await deletingIndex() }, body: { readyVectors: true } }),
  },
  {
    operation: 'patchIndex',
    expect: 'IndexLocked',
    given: async ({ lockedIndex }) => ({
      path: { index: (await lockedIndex()).source },
      body: { vectorIndex: { m: 8 } },
    }),
  },
  {
    operation: 'patchIndex',
    expect: 'NotCurrent',
    given: async ({ writeTo }) => ({
      path: { index: (await writeTo('done')).index },
      body: { model: { baseUrl: 'http://127.0.0.1:1/v1' } },
    }),
  },
  {
    operation: 'patchIndex',
    expect: 'TaskLocked',
    given: async ({ index, ended }) => ({
      path: { index: await index() },
      body: { vectorIndex: { m: 8 }, taskId: await ended('upsert') },
    }),
  },
  {
    operation: 'patchIndex',
    expect: 'TemporalUnavailable',
    on: 'noTemporal',
    given: async ({ index }) => ({ path: { index: await index() }, body: { vectorIndex: { m: 8 } } }),
  },
  { operation: 'deleteIndex', expect: 202, given: async ({ index }) => ({ path: { index: await index() } }) },
  { operation: 'deleteIndex', expect: 'IndexNotFound', given: () => ({ path: { index: 'nowhere' } }) },
  {
    operation: 'deleteIndex',
    expect: 'IndexLocked',
    given: async ({ lockedIndex }) => ({ path: { index: (await lockedIndex()).dest } }),
  },
  {
    operation: 'deleteIndex',
    expect: 'IndexAliased',
    given: async ({ index, alias }) => {
      const name = await index();
      await alias(name);
      return { path: { index: name } };
    },
  },
  {
    operation: 'deleteIndex',
    expect: 'TaskLocked',
    given: async ({ index, ended }) => ({ path: { index: await index() }, query: { taskId: await ended('upsert') } }),
  },
  {
    operation: 'deleteIndex',
    expect: 'TemporalUnavailable',
    on: 'noTemporal',
    given: async ({ index }) => ({ path: { index: await index() } }),
  },
];
