import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import { createIndex, uniqueName } from '../store/builders.ts';
import { useActivities } from './world.ts';

const world = useActivities();

test('a try of a hand-started write that fails late keeps the staged items of the next try', async () => {
  const { db } = world;
  const index = await createIndex(db);
  const taskId = uniqueName('task');
  const items = [{ id: 'a', payload: 'text' }];
  const input = { index: index.name, items };
  const request = { taskId, chain: 'start', type: 'upsert' as const, input, version: null, again: false };
  await new MockActivityEnvironment().run(world.activities.control.admit, request);
  const broken = createActivities({
    ...world.deps,
    db: db.withPlugin({
      transformQuery({ node }) {
        const statement = db.getExecutor().compileQuery(node, { queryId: 'staging' }).sql;
        if (/insert into reembed.staged_items/.test(statement)) throw new Error('the connection broke');
        return node;
      },
      transformResult: async ({ result }) => result,
    }),
  });
  const late = new MockActivityEnvironment().run(broken.control.admit, request);
  await expect(late).rejects.toThrow('the connection broke');
  const { rows } = await sql`select seq from reembed.staged_items where staging = ${`${taskId}/start`}`.execute(db);
  expect(rows).toHaveLength(1);
});
