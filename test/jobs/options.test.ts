import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { JobPlan } from '../../src/contract/job-plan.ts';
import type { CallOptions } from '../../src/contract/jobs.ts';
import { createRegistry, type Definition, defineTask } from '../../src/jobs/index.ts';
import { type Planned, planJob } from '../../src/jobs/options.ts';

const NOW = Date.parse('2030-01-01T00:00:00Z');
const input = { to: 'a', size: 3 };
const parsed = { input, sent: input };

function plan(options: object, call: CallOptions = {}): JobPlan {
  const definition: Definition<unknown, unknown> = {
    name: 'mail',
    input: z.any(),
    registry: createRegistry(),
    ...options,
  };
  return planJob(defineTask(definition as typeof definition & { bind: true }, () => {}) as Planned, parsed, call);
}

interface Row {
  option: keyof CallOptions;
  value: unknown;
  /** Its effect on the plan. */
  gives: Partial<JobPlan>;
  /** Another value, for a definition that the call overrides. */
  other: unknown;
  /** Options that it requires. */
  beside?: CallOptions;
}

const ROWS: Row[] = [
  { option: 'timeout', value: '90s', gives: { timeoutMs: 90_000 }, other: 5 },
  { option: 'queue', value: 'mail', gives: { queue: 'mail' }, other: 'other' },
  { option: 'bind', value: true, gives: { bind: true }, other: false },
  { option: 'onDuplicate', value: 'serial', gives: { onDuplicate: 'serial' }, other: 'discard' },
  { option: 'newest', value: true, gives: { newest: true }, other: false, beside: { onDuplicate: 'queue_one' } },
  { option: 'maxAttempts', value: 7, gives: { maxAttempts: 7 }, other: 2 },
  {
    option: 'backOff',
    value: { initial: '1s', factor: 3, max: '1m' },
    gives: { backOff: { initialMs: 1_000, factor: 3, maxMs: 60_000 } },
    other: { initial: '5s' },
  },
  { option: 'delay', value: '2d', gives: { runs: { afterMs: 172_800_000 } }, other: '1s' },
  { option: 'priority', value: 1, gives: { priority: 1 }, other: 5 },
  { option: 'fairnessKey', value: 'tenant-1', gives: { fairnessKey: 'tenant-1' }, other: 'tenant-2' },
  { option: 'startTimeout', value: '5m', gives: { startTimeoutMs: 300_000 }, other: '1h' },
  { option: 'isolate', value: 'thread', gives: { isolate: 'thread' }, other: 'process' },
];

describe.each(ROWS)('the option $option', ({ option, value, gives, other, beside }) => {
  test('applies to every job of a definition that has it', () => {
    expect(plan({ ...beside, [option]: value })).toMatchObject(gives);
  });

  test('applies to the one call that has it, and overrides the definition', () => {
    expect(plan({ ...beside, [option]: other }, { [option]: value })).toMatchObject(gives);
    expect(plan({ ...beside, [option]: other })).not.toMatchObject(gives);
  });
});

describe('options', () => {
  test('have defaults with which nothing hangs forever', () => {
    expect(plan({})).toMatchObject({
      ...{ timeoutMs: 3_600_000, startTimeoutMs: 86_400_000, maxAttempts: 3, onDuplicate: 'parallel', priority: 3 },
      ...{ queue: 'default', bind: false, newest: false, runs: null, fairnessKey: null, isolate: 'none' },
      backOff: { initialMs: 10_000, factor: 2, maxMs: 600_000 },
    });
  });

  test('keep the values of the definition where a call has undefined', () => {
    expect(plan({ timeout: '5s' }, { timeout: undefined })).toMatchObject({ timeoutMs: 5_000 });
  });

  test('may compute the queue and the key from the input', () => {
    const byInput = {
      queue: ({ to }: typeof input) => `to-${to}`,
      key: ({ to }: typeof input) => to,
    };
    expect(plan(byInput)).toMatchObject({ queue: 'to-a' });
    expect(plan(byInput, { queue: 'mine' })).toMatchObject({ queue: 'mine' });
    const ofOtherSize = planJob({ name: 'mail', options: byInput }, { input: { to: 'a', size: 9 }, sent: {} });
    expect(ofOtherSize.keyHash).toBe(plan(byInput).keyHash);
    expect(plan({ ...byInput, onDuplicate: 'serial' }, { key: 'b' }).keyHash).not.toBe(plan(byInput).keyHash);
    expect(() => plan({ queue: () => 'no queue!' })).toThrow('queue: letters, digits and any of . - _');
  });

  test('use the input as the key by default, regardless of the order of its fields', () => {
    const of = (sent: unknown) => planJob({ name: 'mail', options: {} }, { input, sent }).keyHash;
    expect(of({ a: 1, b: { c: 2, d: 3 } })).toBe(of({ b: { d: 3, c: 2 }, a: 1 }));
    expect(of({ a: 1 })).not.toBe(of({ a: 2 }));
  });

  test('let the time of one call override the delay of the definition', () => {
    const at = new Date(NOW + 5_000);
    expect(plan({ delay: '1d' }, { at }).runs).toEqual({ atMs: NOW + 5_000 });
    expect(plan({ delay: '1d' }, { at: '2030-01-01T02:00:00+02:00' }).runs).toEqual({ atMs: NOW });
  });

  const WRONG: [string, Record<string, unknown>, RegExp][] = [
    ['unknown', { timeOut: 5 }, /timeOut: is not an option/],
    ['of the wrong kind', { maxAttempts: 0 }, /maxAttempts: /],
    ['no duration', { timeout: 'soon' }, /timeout: /],
    ['a timeout of nothing', { timeout: '0s' }, /timeout: must be above 0/],
    ['newest without queue_one', { newest: true, onDuplicate: 'serial' }, /newest: has an effect only with/],
    [
      'a back-off that begins above its most',
      { backOff: { initial: '1h', max: '1m' } },
      /backOff\.initial: must not be longer/,
    ],
    ['a back-off without a second attempt', { backOff: { factor: 2 }, maxAttempts: 1 }, /backOff: has no effect/],
  ];
  test.each(WRONG)('are refused in a definition and in a call: %s', (_what, options, message) => {
    expect(() => plan(options)).toThrow(message);
    expect(() => plan({}, options)).toThrow(message);
  });

  test('are refused where they contradict each other in one call: delay and time, key without duplicates', () => {
    expect(() => plan({}, { delay: '1s', at: new Date(NOW) })).toThrow('delay: contradicts `at`');
    expect(() => plan({}, { key: 'k' })).toThrow('key: has no effect with onDuplicate parallel');
    expect(plan({ onDuplicate: 'queue_one', newest: true }, { onDuplicate: 'discard' })).toMatchObject({
      newest: false,
    });
  });
});
