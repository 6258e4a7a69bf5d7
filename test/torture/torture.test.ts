import { expect, test } from 'vitest';
import { missingEvents } from './drills.ts';
import { torture } from './torture.ts';

// A short run for every change; `npm run torture -- --seconds 120 --seed 1` is the long one.
test('nothing is lost, resurrected or stale while workers, Temporal, Postgres and the API die', async () => {
  const lines: string[] = [];
  const size = { seconds: 40, seed: 7, clients: 4, objects: 600, stops: 0 };
  const result = await torture({ ...size, say: (line) => lines.push(line) });
  expect(result, lines.join('\n')).toMatchObject({
    ok: true,
    problems: [],
    ...{ lost: 0, resurrected: 0, stale: 0, duplicates: 0, orphanedParts: 0, wrongVectors: 0, failedItems: 0 },
  });
  expect(result.kills).toBeGreaterThanOrEqual(2);
  expect(result.freezes).toBeGreaterThanOrEqual(2);
  expect(result.byHand.writes).toBeGreaterThan(0);
  expect(result.comparedVectors).toBeGreaterThan(600);
  expect(result.cutovers).toBeGreaterThanOrEqual(1);
  // Missing ones are made up for after the time, so this does not depend on the speed of the machine.
  expect(missingEvents(result)).toEqual([]);
}, 1_800_000);
