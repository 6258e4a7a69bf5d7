import { expect, test } from 'vitest';
import { hostile } from './hostile.ts';

// A short one for every change; `npm run hostile -- --seconds 60` is the long one, which times the health check too.
test('an API and a worker with 512 MB each survive legal but hostile calls of all kinds', async () => {
  const lines: string[] = [];
  const result = await hostile({ seconds: 10, healthMs: null, say: (line) => lines.push(line) });
  expect(result, lines.join('\n')).toMatchObject({ ok: true, problems: [], deaths: 0 });
}, 500_000);
