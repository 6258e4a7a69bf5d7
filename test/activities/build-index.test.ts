import { setTimeout as delay } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { tablesOf } from '../../src/store/partitions.ts';
import { isVectorIndexReady } from '../../src/store/vector-index.ts';
import { content, createIndex, writeIn } from '../store/builders.ts';
import { openTransaction, untilWaiting } from '../store/concurrency.ts';
import { useActivities } from './world.ts';

const world = useActivities();

test('a build waits for another build of the HNSW index, and ends with its activity', async () => {
  const { db } = world;
  const index = await createIndex(db);
  await writeIn(db, index, [content('a', 1)]);
  const { parts } = tablesOf(index.no);
  const old = await openTransaction(db, (trx) => sql`lock table ${parts} in row exclusive mode`.execute(trx));
  const [first, second] = [new MockActivityEnvironment(), new MockActivityEnvironment()];
  const building = first.run(world.activities.embed.buildVectorIndex, index.no);
  building.catch(() => {});
  await untilWaiting(db, 1);
  const waiting = second.run(world.activities.embed.buildVectorIndex, index.no);
  await delay(300);
  first.cancel();
  await expect(building).rejects.toMatchObject({ name: 'CancelledFailure' });
  await old.commit();
  await waiting;
  expect(await isVectorIndexReady(db, index)).toBe(true);
});
