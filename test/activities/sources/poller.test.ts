import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { Poller } from '../../../src/activities/sources/poller.ts';
import { findSource, type SourceRow } from '../../../src/store/sources/rows.ts';
import { readPoll, readTableOf } from '../../../src/store/sources/state.ts';
import { createIndex } from '../../store/builders.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { givenSource, objectsOf } from '../../workflows/sources/world.ts';
import { givenDependencies } from '../dependencies.ts';

onBothDatabases((database) => {
  const execute = (statement: string) => sql.raw(statement).execute(database().db);

  /** A table that is polled by its column `at`, with a poller of it. */
  async function givenPolled(type: string) {
    const { db } = database();
    const id = randomUUID().slice(0, 8);
    const table = `polled_${id}`;
    const { name: index } = await createIndex(db, { dimensions: 8 });
    await execute(`create table ${table} (id int primary key, body text, at ${type} not null default now())`);
    const definition = { index, table, text: ['body'], follow: 'poll' as const, updatedAt: 'at' };
    const { no, name } = await givenSource(db, `p-${id}`, definition);
    const source = (await findSource(db, name)) as SourceRow;
    const work = {
      ...{ taskId: `task-${id}`, source, db, signal: new AbortController().signal },
      ...{ table: await readTableOf(db, source), onWritten: () => {} },
    };
    const poller = new Poller(
      givenDependencies(db, () => undefined),
      work,
      new Map(),
    );
    const bodies = async () => (await objectsOf(db, index)).map((line) => (JSON.parse(line) as string[])[1]);
    const step = () => new MockActivityEnvironment().run(() => poller.step());
    return { table, step, bodies, cursor: async () => (await readPoll(db, no)).cursor };
  }

  test.each(['timestamptz(0)', 'timestamp(3)', 'timestamptz'])(
    'a row that changes twice within one tick of a clock is polled as it is in the end, by a %s',
    async (type) => {
      const { table, step, bodies } = await givenPolled(type);
      await execute(`insert into ${table} values (1, 'first')`);
      await step();
      expect(await bodies()).toEqual(['first']);
      const at = type === 'timestamptz' ? ", at = at + interval '1 microsecond'" : '';
      await execute(`update ${table} set body = 'second' ${at}`);
      await step();
      expect(await bodies()).toEqual(['second']);
    },
  );

  test.each([
    ['timestamptz', 'infinity'],
    ['timestamptz', '2999-01-01'],
    ['timestamp', 'infinity'],
    ['timestamp', 'in three hours'],
  ])('a %s of %s, which has not come, does not become the place where passes begin', async (type, ahead) => {
    const { table, step, bodies, cursor } = await givenPolled(type);
    const at = ahead === 'in three hours' ? "now() + interval '3 hours'" : `'${ahead}'`;
    await execute(`insert into ${table} values (1, 'ahead', ${at})`);
    await step();
    expect(await cursor()).toBeNull();
    await execute(`insert into ${table} values (2, 'now', default)`);
    await step();
    expect((await bodies()).sort()).toEqual(['ahead', 'now']);
    const before = await cursor();
    expect(before).toMatch(/^20\d\d-/);
    await execute(`update ${table} set body = 'new', at = at + interval '1 second' where id = 2`);
    await step();
    expect((await bodies()).sort()).toEqual(['ahead', 'new']);
  });
});
