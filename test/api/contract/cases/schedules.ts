import { uniqueName } from '../../../store/builders.ts';
import type { Case } from '../case.ts';
import type { World } from '../world.ts';

const DAILY = { every: '24h' };

/** An existing schedule. */
async function made({ ask }: World) {
  const path = { name: 'check', key: uniqueName('key') };
  await ask('PUT', `/v1/schedules/${path.name}/${path.key}`, DAILY);
  return { path };
}

const OF_ONE: [operation: string, status: number][] = [
  ['getSchedule', 200],
  ['pauseSchedule', 200],
  ['resumeSchedule', 200],
  ['runSchedule', 202],
  ['scheduleTimes', 200],
  ['deleteSchedule', 204],
];

export const scheduleCases: Case[] = [
  { operation: 'listSchedules', expect: 200, given: (world) => made(world).then(() => ({})) },
  {
    operation: 'putSchedule',
    expect: 201,
    given: () => ({ path: { name: 'check', key: uniqueName('key') }, body: DAILY }),
  },
  {
    operation: 'putSchedule',
    expect: 200,
    given: async (world) => ({ ...(await made(world)), body: { every: '12h' } }),
  },
  {
    operation: 'putSchedule',
    expect: 201,
    given: () => ({
      path: { name: uniqueName('nightly'), key: 'default' },
      body: { ...DAILY, type: 'audit', input: { source: 'articles', repair: true } },
    }),
  },
  { operation: 'putSchedule', expect: 'JobUnknown', given: () => ({ path: { name: 'nobody' }, body: DAILY }) },
  {
    operation: 'putSchedule',
    expect: 'ScheduleExists',
    given: async (world) => ({ ...(await made(world)), body: { every: '12h', ifExists: 'refuse' } }),
  },
  {
    operation: 'putSchedule',
    expect: 'TemporalUnavailable',
    on: 'noTemporal',
    given: () => ({ path: { name: 'check' }, body: DAILY }),
  },
  ...OF_ONE.flatMap(([operation, status]): Case[] => [
    { operation, expect: status, given: made },
    { operation, expect: 'ScheduleNotFound', given: () => ({ path: { name: 'check', key: 'none' } }) },
  ]),
];
