import type { Case } from '../case.ts';
import type { World } from '../world.ts';

/** An index with objects. */
async function filled({ index, ask }: World): Promise<string> {
  const name = await index();
  const items = [
    { id: 'a', payload: 'a lion', metadata: { lang: 'en' } },
    { id: 'b', payload: { title: 'a ship', tags: ['x'] } },
  ];
  await ask('POST', '/v1/tasks/upsert/run?wait=true', { index: name, items });
  return name;
}

const READERS = ['getObject', 'getObjectHistory', 'listObjects', 'exportIndex', 'search'] as const;

export const objectCases: Case[] = [
  ...READERS.flatMap((operation): Case[] => [
    {
      operation,
      expect: 200,
      given: async (world) => ({
        path: { index: await filled(world) },
        ...(operation === 'search' && { body: { text: 'lion' } }),
      }),
    },
    { operation, expect: 'IndexNotFound', given: () => ({ path: { index: 'nowhere' } }) },
    {
      operation,
      expect: 'IndexDeleting',
      given: async ({ deletingIndex }) => ({ path: { index: await deletingIndex() } }),
    },
  ]),
  {
    operation: 'search',
    expect: 'ObjectNotFound',
    given: async ({ index }) => ({ path: { index: await index() }, body: { id: 'nothing' } }),
  },
  {
    operation: 'getObject',
    expect: 'ObjectNotFound',
    given: async ({ index }) => ({ path: { index: await index(), id: 'nothing' } }),
  },
  {
    operation: 'getObjectHistory',
    expect: 'ObjectNotFound',
    given: async ({ index }) => ({ path: { index: await index(), id: 'nothing' } }),
  },
  {
    operation: 'exportIndex',
    expect: 200,
    given: async (world) => ({ path: { index: await filled(world) }, query: { format: 'parquet' } }),
  },
  {
    operation: 'listObjects',
    expect: 200,
    given: async (world) => ({ path: { index: await filled(world) }, headers: { accept: 'application/x-ndjson' } }),
  },
];
