import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { SourceDefinitionInput } from '../../../src/contract/sources.ts';
import { tablesOf } from '../../../src/store/partitions.ts';
import { outboxOf } from '../../../src/store/sources/names.ts';
import { listFailed } from '../../../src/store/staging.ts';
import { createIndex } from '../../store/builders.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { givenSource, objectsOf } from '../../workflows/sources/world.ts';
import { givenDependencies } from '../dependencies.ts';
import { bringAll, runAudit } from './run-audit.ts';

const ROWS = 230;

onBothDatabases((database) => {
  const deps = () => givenDependencies(database().db, () => undefined);
  const execute = (statement: string) => sql.raw(statement).execute(database().db);

  const audit = (source: string, options?: Parameters<typeof runAudit>[2]) => runAudit(deps(), source, options);

  /** A table whose rows are in the index of its source; nobody follows it, and its outbox is empty. */
  async function givenSynced({
    partitioned = false,
    rows = ROWS,
    ...over
  }: { partitioned?: boolean; rows?: number } & Partial<SourceDefinitionInput> = {}) {
    const { db } = database();
    const id = randomUUID().slice(0, 8);
    const table = `audited_${id}`;
    const { no, name: index } = await createIndex(db, { dimensions: 8 });
    await execute(
      `create table ${table} (id int primary key, title text, body text, lang text, price numeric, hidden boolean not null default false, at timestamptz not null default now())${partitioned ? ' partition by range (id)' : ''}`,
    );
    if (partitioned) {
      await execute(`create table ${table}_a partition of ${table} for values from (minvalue) to (50)`);
      await execute(`create table ${table}_b partition of ${table} for values from (50) to (maxvalue)`);
    }
    await execute(
      `insert into ${table} (id, title, body, lang, price, hidden)
        select i, 'title ' || i, case when i % 10 = 0 then null else 'body ' || i end, 'en', i + 0.50, i % 9 = 0
        from generate_series(1, ${rows}) i`,
    );
    const text = { template: '{title}: {body}' };
    const definition = { index, table, text, metadata: ['lang', 'price'], where: { hidden: false }, ...over };
    const source = await givenSource(db, `s-${id}`, definition);
    await bringAll(deps(), source.name);
    const objects = tablesOf(no).objects.compile(db).sql;
    return { table, index, no, objects, source: source.name, outbox: outboxOf(source.no) };
  }

  /** Runs statements that no trigger of users sees. */
  async function unseen(table: string, ...statements: string[]) {
    await execute(`alter table ${table} disable trigger user`);
    for (const statement of statements) await execute(statement);
    await execute(`alter table ${table} enable trigger user`);
  }

  test.each([{ partitioned: false }, { partitioned: true }])(
    'an audit of a source finds each difference once, nothing else, and a repair ends them (%j)',
    async ({ partitioned }) => {
      const { table, source, objects, index } = await givenSynced({ partitioned });
      expect(await audit(source)).toMatchObject({ counts: { rows: ROWS, found: {}, listed: 0 }, listed: [] });
      const whole = await objectsOf(database().db, index);
      await unseen(
        table,
        `update ${table} set body = 'changed' where id = 1`,
        `update ${table} set price = 7 where id = 2`,
        `delete from ${table} where id = 3`,
        `update ${table} set id = 4000 where id = 4`,
        `insert into ${table} values (5000, 'new', 'row', 'de', 1)`,
        `update ${table} set hidden = true where id = 5`,
        `update ${table} set title = null, body = null where id = 6`,
      );
      await execute(`update ${objects} set payload = '"by hand"' where object_id = '7'`);
      await execute(`update ${objects} set metadata = '{"lang": "fr"}' where object_id = '8'`);
      await execute(`delete from ${objects} where object_id = '11'`);
      await execute(`update ${objects} set object_id = '012' where object_id = '12'`);
      await execute(`update ${objects} set object_id = 'odd' where object_id = '13'`);
      const found = [
        ['012', 'extra'],
        ['1', 'stale'],
        ['11', 'missing'],
        ['12', 'missing'],
        ['13', 'missing'],
        ['2', 'stale'],
        ['3', 'extra'],
        ['4', 'extra'],
        ['4000', 'missing'],
        ['5', 'extra'],
        ['5000', 'missing'],
        ['6', 'extra'],
        ['7', 'stale'],
        ['8', 'stale'],
        ['odd', 'extra'],
      ];
      const first = await audit(source);
      expect(first.listed).toEqual(found);
      expect(first.counts).toMatchObject({ found: { missing: 5, extra: 6, stale: 4 }, onTheirWay: 0, repaired: 0 });
      const second = await audit(source, { repair: true, taskId: first.taskId });
      expect(second.counts).toMatchObject({ repaired: found.length, listed: 0 });
      expect(second.listed).toEqual([]);
      expect((await audit(source)).counts.found).toEqual({});
      expect((await objectsOf(database().db, index)).filter((line) => whole.includes(line))).toHaveLength(
        // Seven rows and their objects were changed or went; the hand's changes of five others were undone.
        whole.length - 6,
      );
    },
  );

  test('an audit does not report what is in the outbox, or is synced between its looks', async () => {
    const { table, source, outbox } = await givenSynced();
    await execute(`update ${table} set body = 'on its way' where id = 1`);
    await execute(`delete from ${table} where id = 2`);
    await unseen(table, `update ${table} set body = 'unseen' where id = 4`);
    const { counts, listed } = await audit(source);
    expect([listed, counts.onTheirWay]).toEqual([[['4', 'stale']], 2]);
    await execute(`truncate ${outbox}`);
    expect((await audit(source)).listed).toEqual([
      ['1', 'stale'],
      ['2', 'extra'],
      ['4', 'stale'],
    ]);
    await execute(`insert into ${outbox} (kind) values ('all')`);
    expect((await audit(source)).listed).toEqual([]);
  });

  test('a row that cannot be an object is reported with the reason, also after a repair that left it', async () => {
    const { table, source } = await givenSynced();
    await unseen(table, `update ${table} set body = repeat('x', 11000000) where id in (1, 230)`);
    const { taskId, listed } = await audit(source, { repair: true });
    expect(listed).toEqual([
      ['1', 'stale'],
      ['230', 'stale'],
    ]);
    const [first] = await listFailed(database().db, taskId, { after: null, limit: 1 });
    expect(first?.detail).toContain('the text is larger than 10 MB');
    await unseen(table, `update ${table} set body = 'small' where id = 1`);
    const again = await audit(source, { taskId, onlyFailed: true, repair: true });
    expect([again.total, again.counts.repaired, again.listed]).toEqual([2, 1, [['230', 'stale']]]);
  });

  test('the audit of a polled table finds deleted rows, and leaves rows that the poll has not reached', async () => {
    const { table, source } = await givenSynced({ follow: 'poll', updatedAt: 'at' });
    await execute(
      `update reembed.sources set state = 'stopped', poll_cursor = (select to_jsonb(max(at)::text) from ${table}) where name = '${source}'`,
    );
    await execute(`delete from ${table} where id = 1`);
    await execute(`update ${table} set body = 'newer', at = clock_timestamp() where id = 2`);
    await execute(`update ${table} set body = 'older', at = now() - interval '1 hour' where id = 4`);
    const { counts, listed } = await audit(source, { repair: true });
    expect(counts).toMatchObject({ found: { extra: 1, stale: 1 }, onTheirWay: 1, repaired: 2 });
    expect(listed).toEqual([]);
  });

  test('an audit of a source whose table cannot be read says why', async () => {
    const { table, source } = await givenSynced({ rows: 3 });
    await execute(`alter table ${table} rename column body to text`);
    await expect(audit(source)).rejects.toMatchObject({
      message: expect.stringContaining('has no column body any more'),
    });
  });
});
