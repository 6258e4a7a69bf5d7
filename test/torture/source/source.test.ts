import { expect, test } from 'vitest';
import { sourceTorture } from './source.ts';

// A short run for every change; `npm run torture -- --source --seconds 120 --seed 1` is the long one.
test('followed tables and their indexes are equal after random DML while workers and Postgres die', async () => {
  const lines: string[] = [];
  const result = await sourceTorture({ seconds: 30, seed: 3, clients: 4, say: (line) => lines.push(line) });
  expect(result, lines.join('\n')).toMatchObject({ ok: true, differences: [], problems: [] });
  expect(result.kills).toBeGreaterThanOrEqual(2);
  expect(result.rows).toBeGreaterThan(100);
}, 400_000);
