import { describe, expect, test } from 'vitest';
import { createRegistry, defineTask } from '../../src/jobs/index.ts';
import { call, silentDatabase, testApi } from './support.ts';

const registry = createRegistry();
defineTask({ name: 'closed', registry }, () => {});
defineTask({ name: 'open', registry, mayOverride: ['isolate'] }, () => {});

const WAYS: [
  how: string,
  method: string,
  path: (name: string) => string,
  body: (name: string, options: object) => object,
  at: string,
][] = [
  ['a call by name', 'POST', (name) => `/v1/jobs/${name}/run`, (_name, options) => options, ''],
  ['a task', 'POST', () => '/v1/tasks/job/run', (name, options) => ({ name, ...options }), ''],
  [
    'a schedule',
    'PUT',
    (name) => `/v1/schedules/${name}/a`,
    (_name, options) => ({ every: '1h', options }),
    'options.',
  ],
];

describe.each(WAYS)('over HTTP %s', (_how, method, pathOf, bodyOf, at) => {
  const ask = (known: boolean, name: string, options: object) =>
    call(testApi(silentDatabase(), known ? { registry } : {}), method, pathOf(name), bodyOf(name, options));

  test.each([
    [true, 'closed', { isolate: 'process' }, 'isolate'],
    [true, 'closed', { bind: true }, 'bind'],
    [true, 'open', { bind: true }, 'bind'],
    [false, 'open', { isolate: 'none' }, 'isolate'],
  ])('leaves how a handler runs to the definition (known: %s, %s, %j)', async (known, name, options, field) => {
    const { status, body } = await ask(known, name, options);
    expect([status, body.issues?.[0]?.path]).toEqual([400, at + field]);
  });

  test('accepts what the definition allows', async () => {
    expect((await ask(true, 'open', { isolate: 'thread' })).status).toBe(503); // no Temporal
  });
});
