import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { FAULTS } from './faults.ts';
import { anything, simulate } from './scenario.ts';
import { STEPS } from './steps.ts';
import { type Event, watchInvariants } from './world.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openPostgresDatabase();
  await watchInvariants(database.db);
});
afterAll(() => database.close());

/** By default the tests take a minute; more runs find more. */
const RUNS = Number(process.env.REEMBED_MODEL_RUNS ?? 30);
const FAULT_RUNS = 60;

describe('in any interleaving of writers, copies, forwards, reindexes, operators and crashes', () => {
  it('an alias serves exactly what was accepted: nothing is lost, stale, resurrected or left over', {
    timeout: 60_000 + RUNS * 10_000,
  }, async () => {
    const seen: Map<Event, number>[] = [];
    const check = fc.asyncProperty(anything, async (scenario) => {
      seen.push((await simulate(database.db, STEPS, scenario)).events);
    });
    await fc.assert(check, { numRuns: RUNS, endOnFailure: true });
    const runsWith = (event: Event) => seen.filter((events) => events.has(event)).length;
    // A simulation in which hardly any reindex ends would prove nothing.
    expect(runsWith('cut-over')).toBeGreaterThan(RUNS / 2);
    expect(runsWith('alias moved')).toBeGreaterThan(0);
    expect(runsWith('rolled back')).toBeGreaterThan(0);
    expect(runsWith('second start')).toBeGreaterThan(0);
    if (process.env.REEMBED_MODEL_RUNS) process.stdout.write(`${JSON.stringify(countOf(seen))}\n`);
  });

  it.each(FAULTS)(
    'the simulation detects a protocol that runs $what',
    {
      timeout: 300_000,
    },
    async ({ steps, breakDatabase, scenario, seed, found }) => {
      const check = fc.asyncProperty(scenario, async (one) => {
        await simulate(database.db, { ...STEPS, ...steps }, one, breakDatabase);
      });
      const result = await fc.check(check, { seed, numRuns: FAULT_RUNS, endOnFailure: true });
      expect(String(result.errorInstance)).toMatch(found);
    },
  );
});

function countOf(seen: readonly Map<Event, number>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const events of seen) for (const [event, times] of events) counts[event] = (counts[event] ?? 0) + times;
  return counts;
}
