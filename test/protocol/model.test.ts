import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Db } from '../../src/store/database.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { FAULTS } from './faults.ts';
import { interleave, pausingBeforeCommit } from './interleaving.ts';
import {
  createWorld,
  findWrong,
  liveWrite,
  type Pause,
  ProcessDied,
  reindex,
  STEPS,
  type Steps,
  type World,
} from './simulation.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openPostgresDatabase();
});
afterAll(() => database.close());

/** Each writer writes one batch after another; two reindexes follow each other meanwhile. */
const scenario = fc.record({
  writers: fc.array(
    fc.array(
      fc.array(fc.record({ key: fc.nat(4), text: fc.option(fc.nat(1), { freq: 2 }) }), { minLength: 1, maxLength: 2 }),
      { minLength: 1, maxLength: 4 },
    ),
    { minLength: 2, maxLength: 4 },
  ),
  reindexes: fc.integer({ min: 1, max: 2 }),
  choices: fc.infiniteStream(fc.nat({ max: 999_999 })),
});

interface Watch {
  breakDatabase?: ((db: Db) => Db) | undefined;
  onEnd?: (world: World) => void;
}

function property(steps: Steps, { breakDatabase = (db) => db, onEnd }: Watch) {
  return fc.asyncProperty(scenario, async ({ writers, reindexes, choices }) => {
    const db = breakDatabase(database.db);
    const world = await createWorld(db, steps);
    const processOf = (what: string, run: (world: World, pause: Pause) => Promise<void>) => (pause: Pause) => {
      const beforeCommit = async () => {
        if ((await pause(`commit of a ${what}`)) === 'die') throw new ProcessDied('before its commit');
      };
      return run({ ...world, db: pausingBeforeCommit(db, beforeCommit) }, pause);
    };
    await interleave(database.db, () => choices.next().value as number, [
      processOf('reindex', async (own, pause) => {
        for (let round = 0; round < reindexes; round++) await reindex(own, pause);
      }),
      ...writers.map((batches) =>
        processOf('write', async (own, pause) => {
          for (const batch of batches) await liveWrite(own, batch, pause);
        }),
      ),
    ]);
    expect(await findWrong(world)).toEqual([]);
    onEnd?.(world);
  });
}

describe('whatever the interleaving of writers, copies, forwards, reindexes and deaths', () => {
  it('what serves is what was accepted: nothing is lost, stale, resurrected or left over', async () => {
    const cutOvers: number[] = [];
    const numRuns = Number(process.env.REEMBED_MODEL_RUNS ?? 40);
    await fc.assert(property(STEPS, { onEnd: (world) => cutOvers.push(world.cutOvers.length) }), {
      numRuns,
      endOnFailure: true,
    });
    // A simulation in which hardly any reindex comes to its end would prove nothing.
    expect(cutOvers.filter((count) => count > 0).length).toBeGreaterThan(numRuns / 2);
  });

  it.each(FAULTS)('the simulation finds out that the protocol runs $what', async ({ steps, breakDatabase, seed }) => {
    const found = await fc.check(property(steps, { breakDatabase }), { seed, numRuns: 60, endOnFailure: true });
    expect(String(found.errorInstance)).toMatch(/is lost|is stale|is resurrected/);
  });
});
