import { TASK_TYPES, type TaskType } from '../../../../src/contract/task-types.ts';
import type { Case } from '../case.ts';
import type { World } from '../world.ts';

/** `cancelTask`, or `cancelDeleteIndexTask` for one type. */
export function operationOf(verb: string, type?: TaskType): string {
  return `${verb}-${type ? `${type}-` : ''}task`.replace(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase());
}

/** Results of steering many tasks. */
export const steerResultCases: Case[] = [
  { operation: 'steerResults', expect: 200, given: async ({ ended }) => ({ query: { taskId: await ended('steer') } }) },
  { operation: 'steerResults', expect: 'TaskNotFound', given: () => ({ query: { taskId: 'nobody' } }) },
  {
    operation: 'steerResults',
    expect: 'DatabaseUnavailable',
    on: 'noDatabase',
    given: async ({ ended }) => ({ query: { taskId: await ended('steer') } }),
  },
];

/** Reports of evaluations. */
export const evaluationCases: Case[] = [
  {
    operation: 'getEvaluation',
    expect: 200,
    given: async ({ ended }) => ({ query: { taskId: await ended('evaluate') } }),
  },
  { operation: 'getEvaluation', expect: 'TaskNotFound', given: () => ({ query: { taskId: 'nobody' } }) },
  {
    operation: 'getEvaluation',
    expect: 'EvaluationNotFound',
    given: async ({ ended }) => ({ query: { taskId: await ended('upsert') } }),
  },
  {
    operation: 'getEvaluation',
    expect: 'DatabaseUnavailable',
    on: 'noDatabase',
    given: async ({ ended }) => ({ query: { taskId: await ended('evaluate') } }),
  },
];

/** What tasks were started with. */
export const inputCases: Case[] = [
  {
    operation: 'getTaskInput',
    expect: 200,
    given: async ({ ended }) => ({ query: { taskId: await ended('upsert') } }),
  },
  { operation: 'getTaskInput', expect: 'TaskNotFound', given: () => ({ query: { taskId: 'nobody' } }) },
];

/** What users write while a reindex runs. */
export const liveWritesCases: Case[] = [
  {
    operation: 'getLiveWrites',
    expect: 200,
    given: async ({ ended }) => ({ query: { taskId: await ended('upsert') } }),
  },
  { operation: 'getLiveWrites', expect: 'TaskNotFound', given: () => ({ query: { taskId: 'nobody' } }) },
  {
    operation: 'getLiveWrites',
    expect: 'DatabaseUnavailable',
    on: 'noDatabase',
    given: async ({ ended }) => ({ query: { taskId: await ended('upsert') } }),
  },
];

/** Figures of shadow and canary reads. */
export const readsCases: Case[] = [
  { operation: 'getReads', expect: 200, given: async ({ readable }) => ({ query: { taskId: await readable() } }) },
  { operation: 'getReads', expect: 'TaskNotFound', given: () => ({ query: { taskId: 'nobody' } }) },
  {
    operation: 'getReads',
    expect: 'ReadsNotFound',
    given: async ({ ended }) => ({ query: { taskId: await ended('upsert') } }),
  },
  {
    operation: 'getReads',
    expect: 'DatabaseUnavailable',
    on: 'noDatabase',
    given: async ({ ended }) => ({ query: { taskId: await ended('upsert') } }),
  },
];

/** Plans of reindexes. */
export const planCases: Case[] = [
  { operation: 'planReindex', expect: 200, given: async (world) => ({ body: await planOf(world) }) },
  {
    operation: 'planReindex',
    expect: 'IndexNotFound',
    given: async (world) => ({ body: { ...(await planOf(world)), source: 'nowhere' } }),
  },
  {
    operation: 'planReindex',
    expect: 'DatabaseUnavailable',
    on: 'noDatabase',
    given: async (world) => ({ body: await planOf(world) }),
  },
];

const planOf = async ({ index }: World) => ({ source: await index(), dest: await index() });

/** Calls that read tasks, for all types together and for each. */
export const taskCases: Case[] = [undefined, ...TASK_TYPES].flatMap((type): Case[] => {
  const ended = (world: World) => world.ended(type ?? 'upsert');
  const ofEnded = async (world: World) => ({ query: { taskId: await ended(world) } });
  const unknown = { expect: 'TaskNotFound', given: () => ({ query: { taskId: 'nobody' } }) } as const;
  return [
    { operation: operationOf('get', type), expect: 200, given: ofEnded },
    { operation: operationOf('get', type), ...unknown },
    { operation: operationOf('list', type), expect: 200, given: (world) => ended(world).then(() => ({})) },
    {
      operation: operationOf('list', type),
      expect: 200,
      given: (world) => ended(world).then(() => ({ headers: { accept: 'text/event-stream' } })),
    },
    { operation: operationOf('count', type), expect: 200, given: (world) => ended(world).then(() => ({})) },
    { operation: operationOf('failed-items', type), expect: 200, given: ofEnded },
    { operation: operationOf('failed-items', type), ...unknown },
    { operation: operationOf('failed-items', type), expect: 'DatabaseUnavailable', on: 'noDatabase', given: ofEnded },
    { operation: operationOf('events', type), expect: 200, given: ofEnded },
    { operation: operationOf('events', type), ...unknown },
    {
      operation: operationOf('events', type),
      expect: 204,
      given: async (world) => {
        const taskId = await ended(world);
        const { updateTime } = await world.tracker(taskId);
        return { query: { taskId }, headers: { 'last-event-id': updateTime } };
      },
    },
  ];
});
