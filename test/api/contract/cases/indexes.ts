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
