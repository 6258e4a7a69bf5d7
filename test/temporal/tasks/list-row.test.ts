import { TypedSearchAttributes } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import type { Tracker } from '../../../src/contract/tasks.ts';
import { type Execution, rowOf } from '../../../src/temporal/tasks/list-row.ts';

const progress = { done: 1, total: 2, failed: 0, perSecond: 0, etaSeconds: null };

function execution(memo: Record<string, unknown> | undefined): Execution {
  return {
    ...{ workflowId: 'by-hand', runId: 'r', type: 'upsert', taskQueue: 'nobody', historyLength: 2 },
    status: { name: 'RUNNING', code: 1 },
    startTime: new Date('2026-01-01T00:00:00Z'),
    typedSearchAttributes: new TypedSearchAttributes(),
    searchAttributes: {},
    memo,
  } as Execution;
}

describe('the row of a task in a list', () => {
  test('has what the task has published', () => {
    const tracker: Partial<Tracker> = { status: 'processing', detail: 'writes', progress, data: { phase: 'copy' } };
    expect(rowOf(execution({ tracker }), 'upsert')).toMatchObject({ ...tracker, id: 'by-hand', type: 'upsert' });
  });

  test.each([
    'text',
    7,
    null,
    [1],
    { progress: 'fast' },
    { errors: 7 },
    { attempts: 'many' },
    { data: [] },
    { status: 'unknown' },
    { detail: {} },
  ])('has no memo of a stranger that is no tracker: %j', (tracker) => {
    expect(rowOf(execution({ tracker }), 'upsert')).toEqual(rowOf(execution(undefined), 'upsert'));
  });
});
