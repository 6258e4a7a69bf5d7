import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
import { createActivities } from '../../src/activities/index.ts';
import type { Embedder } from '../../src/contract/embedder.ts';
import type { Db } from '../../src/store/database.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { content, createIndex, lockIn, writeIn } from '../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { givenDependencies } from './dependencies.ts';

export interface ActivityWorld {
  db: Db;
  deps: ActivityDependencies;
  activities: ReturnType<typeof createActivities>;
  /** Replaces the model until the end of the test. */
  embed: Embedder['embed'] | undefined;
}

/** Sets up the activities on a database of the file; what it returns is complete once the tests run. */
export function useActivities(): ActivityWorld {
  const world = {} as ActivityWorld;
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openPostgresDatabase();
    world.db = database.db;
    world.deps = givenDependencies(database.db, () => world.embed);
    world.activities = createActivities(world.deps);
  });
  afterEach(() => {
    world.embed = undefined;
  });
  afterAll(() => database?.close());
  return world;
}

export async function countObjects(db: Db, indexNo: number): Promise<number> {
  const { rows } = await sql<{ objects: number }>`
    select count(*) as objects from ${tablesOf(indexNo).objects}`.execute(db);
  return Number(rows[0]?.objects);
}

/** A locked pair with one object to copy, and the request of its cut-over. */
export async function givenPair(db: Db, over: { reuse?: boolean } = {}) {
  const [source, dest] = [await createIndex(db), await createIndex(db)];
  const { lock, taskId, mark } = await lockIn(db, source.name, dest.name, over);
  await writeIn(db, source, [content('a', 1)]);
  const pair = { taskId, lock, sourceNo: source.no, destNo: dest.no, mark, batchSize: 10, ratePerSecond: null };
  return { source, dest, request: { ...pair, alias: null, drainSeconds: 1, mirror: null } };
}
