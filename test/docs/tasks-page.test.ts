import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TASKS_PAGE, withTables } from '../../scripts/write-docs.ts';

test('the tables of docs/tasks.md are those of the code: else run scripts/write-docs.ts', () => {
  const page = readFileSync(TASKS_PAGE, 'utf8');
  expect(page).toContain('| `exhausted` |');
  expect(withTables(page)).toBe(page);
});
