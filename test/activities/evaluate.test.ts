import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import { thresholdsSchema } from '../../src/contract/evaluation.ts';
import { beginEvaluation, readReport } from '../../src/store/evaluations.ts';
import { saveQuerySet } from '../../src/store/query-sets.ts';
import { buildVectorIndex } from '../../src/store/vector-index.ts';
import { content, createIndex, partsOf, uniqueName, writeIn } from '../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { givenDependencies } from './dependencies.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openPostgresDatabase();
});
afterAll(() => database?.close());

/** An evaluation that has begun, of two indexes with an HNSW index each. */
async function begun(efSearch: number[] = []): Promise<string> {
  const { db } = database;
  const [left, right] = [await createIndex(db), await createIndex(db)];
  for (const index of [left, right]) {
    const objects = Array.from({ length: 80 }, (_, at) => content(`d${at}`, 1, { parts: partsOf([at]) }));
    await writeIn(db, index, objects);
    await buildVectorIndex(db, index, { memoryMb: 64 });
  }
  const querySet = uniqueName('set');
  await saveQuerySet(
    db,
    querySet,
    Array.from({ length: 40 }, (_, at) => ({ id: `q${at}`, text: `text ${at}`, relevant: [] })),
  );
  const taskId = uniqueName('task');
  const request = { left: left.name, right: right.name, querySet, k: 10, efSearch, maxMissing: 0.1, seed: 1 };
  await beginEvaluation(db, { taskId, run: 'first', request: { ...request, thresholds: thresholdsSchema.parse({}) } });
  return taskId;
}

test('an evaluation reports the recall and the latency of the HNSW index for each ef_search', async () => {
  const { db } = database;
  const { embed } = createActivities(givenDependencies(db, () => undefined));
  const taskId = await begun([10, 200]);
  const run = () => new MockActivityEnvironment().run(embed.evaluateQueries, taskId);
  // Each run takes a bounded time, in which a slow machine gets part of it done.
  await vi.waitFor(async () => expect(await run()).toMatchObject({ done: 40, total: 40 }), 90_000);
  await new MockActivityEnvironment().run(embed.finishEvaluation, taskId);
  const report = await readReport(db, taskId);
  for (const side of [report?.left, report?.right]) {
    expect(side?.hnsw.map(({ efSearch, isDefault }) => [efSearch, isDefault])).toEqual([
      [40, true],
      [10, false],
      [200, false],
    ]);
    for (const { recall, p50Ms, p95Ms } of side?.hnsw ?? []) {
      expect(recall).toBeGreaterThan(0.9);
      expect(p50Ms).toBeGreaterThan(0);
      expect(p95Ms).toBeGreaterThanOrEqual(p50Ms ?? Number.POSITIVE_INFINITY);
    }
  }
});

test('the end of an evaluation can be repeated: it returns the same outcome', async () => {
  const { embed } = createActivities(givenDependencies(database.db, () => undefined));
  const taskId = await begun();
  const context = new MockActivityEnvironment();
  await context.run(embed.evaluateQueries, taskId);
  const outcome = await context.run(embed.finishEvaluation, taskId);
  const report = await readReport(database.db, taskId);
  expect(await context.run(embed.finishEvaluation, taskId)).toEqual(outcome);
  expect(await readReport(database.db, taskId)).toEqual(report);
});

test('maintenance drops the report of a task that Temporal no longer has, and keeps the others', async () => {
  const { db } = database;
  const [gone, kept, recent] = [await begun(), await begun(), await begun()];
  await sql`
    update reembed.evaluations
    set update_time = now() - interval '2 hours'
    where task_id in (${gone}, ${kept})`.execute(db);
  const deps = { ...givenDependencies(db, () => undefined), isTaskKnown: async (taskId: string) => taskId === kept };
  const { control } = createActivities(deps);
  const dropped = await new MockActivityEnvironment().run(control.dropExpired);
  expect(dropped).toMatchObject({ evaluated: 1 });
  const { rows } = await sql<{ task: string }>`
    select task_id as task from reembed.evaluations
    where task_id in (${gone}, ${kept}, ${recent})`.execute(db);
  expect(rows.map(({ task }) => task).sort()).toEqual([kept, recent].sort());
});
