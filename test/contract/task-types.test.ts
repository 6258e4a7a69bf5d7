import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { WORKFLOW } from '../../src/contract/names.ts';
import { STEERABLE_TYPES, TASK_TYPES, TASKS, typeOfWorkflow } from '../../src/contract/task-types.ts';

/** The names under which the worker has workflows. */
function exportedWorkflows(): string[] {
  const text = readFileSync(new URL('../../src/workflows/all.ts', import.meta.url), 'utf8');
  return [...text.matchAll(/^export \{ (?:\w+ as )?(\w+) \}/gm)].map(([, name]) => name as string);
}

test('the workflows of a worker are those of the task types and the few that are not tasks', () => {
  const named = [...TASK_TYPES.map((type) => TASKS[type].workflow), ...Object.values(WORKFLOW)];
  expect(exportedWorkflows().sort()).toEqual(named.sort());
});

test.each(TASK_TYPES)('the workflow of %s belongs to no other type', (type) => {
  expect(typeOfWorkflow(TASKS[type].workflow)).toBe(type);
});

test('the body of every type that a caller can start has a name of its own in the OpenAPI document', () => {
  const ids = TASK_TYPES.flatMap((type) => TASKS[type].body?.meta()?.id ?? []);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toHaveLength(TASK_TYPES.length - 1);
});

test('a steering task steers neither others of its type nor the slices of a reindex', () => {
  expect(TASK_TYPES.filter((type) => !(STEERABLE_TYPES as string[]).includes(type))).toEqual([
    'reindex-slice',
    'steer',
  ]);
});
