import type { Case } from '../case.ts';
import type { World } from '../world.ts';
import { operationOf } from './tasks.ts';

const items = [{ id: 'a', payload: 'a lion' }];

/** A valid body for each call that starts a task. */
const BODIES = {
  upsert: async ({ index }: World) => ({ index: await index(), items }),
  delete: async ({ index }: World) => ({ index: await index(), ids: ['a'] }),
  reindex: async ({ index }: World) => ({ source: await index(), dest: await index() }),
  'delete-index': async ({ index }: World) => ({ index: await index() }),
  evaluate: ({ evaluable }: World) => evaluable(),
  audit: async ({ index }: World) => ({ index: await index() }),
  'vector-index': async ({ index }: World) => ({ index: await index(), vectorIndex: { m: 8 } }),
  sync: async ({ source }: World) => ({ source: await source() }),
  steer: async () => ({ action: 'pause', filter: { taskIds: ['nobody'] } }),
};

const LINES = { upsert: '{"id":"a","payload":"a lion"}\n', delete: '"a"\n' };

export const runningCases: Case[] = [
  ...(Object.keys(BODIES) as (keyof typeof BODIES)[]).flatMap((type): Case[] => {
    const operation = operationOf('run', type);
    const body = BODIES[type];
    return [
      { operation, expect: 202, given: async (world) => ({ body: await body(world) }) },
      { operation, expect: 200, given: async (world) => ({ query: { wait: 'true' }, body: await body(world) }) },
      {
        operation,
        expect: 'TaskLocked',
        given: async (world) => ({ body: { ...(await body(world)), taskId: await world.ended('delete') } }),
      },
      {
        operation,
        expect: 'TemporalUnavailable',
        on: 'noTemporal',
        given: async (world) => ({ body: await body(world) }),
      },
      ...(type === 'steer' || type === 'sync' ? [] : onIndex(type)),
    ];
  }),
  {
    operation: operationOf('run', 'evaluate'),
    expect: 'IndexDeleting',
    given: async (world) => ({ body: { ...(await world.evaluable()), right: await world.deletingIndex() } }),
  },
  {
    operation: operationOf('run', 'vector-index'),
    expect: 'IndexDeleting',
    given: async (world) => ({ body: { index: await world.deletingIndex(), vectorIndex: null } }),
  },
  {
    operation: operationOf('run', 'vector-index'),
    expect: 'IndexLocked',
    given: async (world) => ({ body: { index: (await world.lockedIndex()).source, vectorIndex: { m: 8 } } }),
  },
  {
    operation: operationOf('run', 'audit'),
    expect: 'IndexDeleting',
    given: async (world) => ({ body: { index: await world.deletingIndex() } }),
  },
  {
    operation: operationOf('run', 'evaluate'),
    expect: 'QuerySetNotFound',
    given: async (world) => ({ body: { ...(await world.evaluable()), querySet: 'nowhere' } }),
  },
  {
    operation: operationOf('run', 'reindex'),
    expect: 'QuerySetNotFound',
    given: async (world) => ({ body: { ...(await BODIES.reindex(world)), approve: { querySet: 'nowhere' } } }),
  },
  {
    operation: operationOf('run', 'reindex'),
    expect: 'IndexExists',
    given: async (world) => ({ body: { ...(await BODIES.reindex(world)), destMetric: 'l2' } }),
  },
  {
    operation: operationOf('run', 'reindex'),
    expect: 'NameTaken',
    given: async (world) => ({
      body: { ...(await BODIES.reindex(world)), dest: await world.alias(await world.index()), destMetric: 'l2' },
    }),
  },
  {
    operation: operationOf('run', 'sync'),
    expect: 'SourceNotFound',
    given: async () => ({ body: { source: 'nowhere' } }),
  },
  {
    operation: operationOf('run', 'audit'),
    expect: 200,
    given: async (world) => ({ query: { wait: 'true' }, body: { source: await world.source() } }),
  },
  {
    operation: operationOf('run', 'audit'),
    expect: 'SourceNotFound',
    given: async () => ({ body: { source: 'nowhere' } }),
  },
  ...(['upsert', 'delete'] as const).flatMap((type): Case[] => {
    const operation = operationOf('run', type);
    return [
      {
        operation,
        expect: 'IndexDeleting',
        given: async (world) => ({ body: { ...(await BODIES[type](world)), index: await world.deletingIndex() } }),
      },
      {
        operation,
        expect: 200,
        given: async ({ index }) => ({
          query: { index: await index(), wait: 'true' },
          headers: { 'content-type': 'application/x-ndjson' },
          body: LINES[type],
        }),
      },
    ];
  }),
];

/** The field that names an index, if it is not `index`. */
const NAMED: Readonly<Record<string, string>> = { reindex: 'source', evaluate: 'left' };

/** Further answers of a type that works on an index. */
function onIndex(type: Exclude<keyof typeof BODIES, 'steer' | 'sync'>): Case[] {
  const operation = operationOf('run', type);
  const body = BODIES[type];
  return [
    {
      operation,
      expect: 'IndexNotFound',
      given: async (world) => ({
        body: { ...(await body(world)), [NAMED[type] ?? 'index']: 'nowhere' },
      }),
    },
    {
      operation,
      expect: 'DatabaseUnavailable',
      on: 'noDatabase',
      given: async (world) => ({ body: await body(world) }),
    },
  ];
}
