import { TASK_TYPES } from '../../../../src/contract/task-types.ts';
import type { Case } from '../case.ts';
import type { World } from '../world.ts';
import { operationOf } from './tasks.ts';

/** Calls that steer one task, for all types together and for each. */
export const steeringCases: Case[] = [undefined, ...TASK_TYPES].flatMap((type): Case[] => {
  const ofRunning = async (world: World) => ({ query: { taskId: await world.running(type ?? 'delete-index') } });
  const ofEnded = async (world: World) => ({ query: { taskId: await world.ended(type ?? 'upsert') } });
  const ofIgnored = async (world: World) => {
    const taskId = await world.running(type ?? 'delete-index');
    await world.ask('PUT', `/v1/tasks/ignore?taskId=${encodeURIComponent(taskId)}`);
    await world.closed(taskId); // the answer may come before
    return { query: { taskId } };
  };
  const verbs = ['restart', 'cancel', 'pause', 'resume', 'ignore'].flatMap((verb): Case[] => [
    { operation: operationOf(verb, type), expect: 200, given: ofRunning },
    { operation: operationOf(verb, type), expect: 'TaskNotFound', given: () => ({ query: { taskId: 'nobody' } }) },
  ]);
  return [
    ...verbs,
    { operation: operationOf('restart', type), expect: 'TaskClosed', given: ofIgnored },
    ...['pause', 'resume', 'ignore'].map(
      (verb): Case => ({ operation: operationOf(verb, type), expect: 'TaskClosed', given: ofEnded }),
    ),
    ...(type === undefined || type === 'reindex' || type === 'delete-index'
      ? setting(operationOf('set-reads-of', type))
      : []),
    ...(type === undefined || type === 'reindex'
      ? [
          ...throttling(operationOf('throttle', type)),
          ...budgeting(operationOf('budget', type)),
          ...deciding(operationOf('approve', type)),
          ...deciding(operationOf('reject', type)),
          ...rollingBack(operationOf('get-roll-back-of', type)),
          ...rollingBack(operationOf('roll-back', type)),
          ...failingToRollBack(operationOf('roll-back', type)),
        ]
      : []),
  ];
});

function setting(operation: string): Case[] {
  const isDeletion = operation === 'setReadsOfDeleteIndexTask';
  const taskIdOf = ({ keptCurrent, readable }: World) => (isDeletion ? keptCurrent() : readable());
  const type = isDeletion ? 'delete-index' : 'reindex';
  return [
    { operation, expect: 200, given: async (world) => ({ query: { taskId: await taskIdOf(world), shadow: '0.25' } }) },
    { operation, expect: 'TaskNotFound', given: () => ({ query: { taskId: 'nobody', canary: '0' } }) },
    { operation, expect: 'TemporalUnavailable', on: 'noTemporal', given: () => ({ query: { canary: '0' } }) },
    {
      operation,
      expect: 'TaskClosed',
      given: async ({ ended }) => ({ query: { taskId: await ended(type), canary: '0' } }),
    },
  ];
}

function throttling(operation: string): Case[] {
  return [
    { operation, expect: 200, given: async ({ running }) => ({ query: { taskId: await running('reindex') } }) },
    { operation, expect: 'TaskNotFound', given: () => ({ query: { taskId: 'nobody' } }) },
    { operation, expect: 'TaskClosed', given: async ({ ended }) => ({ query: { taskId: await ended('reindex') } }) },
  ];
}

function rollingBack(operation: string): Case[] {
  const ofSwitched = async ({ switched }: World) => ({ query: { taskId: await switched() } });
  return [
    { operation, expect: 200, given: ofSwitched },
    { operation, expect: 'TaskNotFound', given: () => ({ query: { taskId: 'nobody' } }) },
    {
      operation,
      expect: 'RollBackRefused',
      given: async ({ ended }) => ({ query: { taskId: await ended('reindex') } }),
    },
    {
      operation,
      expect: 'RollBackRefused',
      given: async ({ undecided }) => ({ query: { taskId: await undecided() } }),
    },
    { operation, expect: 'DatabaseUnavailable', on: 'noDatabase', given: ofSwitched },
  ];
}

function failingToRollBack(operation: string): Case[] {
  return [
    {
      operation,
      expect: 'InvalidInput',
      given: async ({ switched }) => ({ query: { taskId: await switched(), to: 'another' } }),
    },
    { operation, expect: 'NotCurrent', given: async (world) => ({ query: { taskId: await world.switchedToMore() } }) },
    {
      operation,
      expect: 'NoWorker',
      given: async (world) => ({ query: { taskId: await world.switchedWithoutWorker() } }),
    },
  ];
}

function budgeting(operation: string): Case[] {
  const limits = { tokens: '1000', calls: 'none' };
  return [
    {
      operation,
      expect: 200,
      given: async ({ running }) => ({ query: { taskId: await running('reindex'), ...limits } }),
    },
    {
      operation,
      expect: 'InvalidInput',
      given: async ({ running }) => ({ query: { taskId: await running('reindex'), tokens: '0' } }),
    },
    { operation, expect: 'TaskNotFound', given: () => ({ query: { taskId: 'nobody', ...limits } }) },
    {
      operation,
      expect: 'DatabaseUnavailable',
      on: 'noDatabase',
      given: async ({ running }) => ({ query: { taskId: await running('reindex'), ...limits } }),
    },
    {
      operation,
      expect: 'TaskClosed',
      given: async ({ ended }) => ({ query: { taskId: await ended('reindex'), ...limits } }),
    },
  ];
}

function deciding(operation: string): Case[] {
  return [
    { operation, expect: 200, given: async ({ undecided }) => ({ query: { taskId: await undecided() } }) },
    {
      operation,
      expect: 'NotAwaitingApproval',
      given: async ({ running }) => ({ query: { taskId: await running('reindex') } }),
    },
    { operation, expect: 'TaskNotFound', given: () => ({ query: { taskId: 'nobody' } }) },
    { operation, expect: 'TaskClosed', given: async ({ ended }) => ({ query: { taskId: await ended('reindex') } }) },
  ];
}
