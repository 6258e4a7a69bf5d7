import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findIndex } from '../../src/store/indexes.ts';
import { uniqueName } from '../store/builders.ts';
import { type DatabasesSystem, startDatabasesSystem } from '../support/databases-system.ts';
import { seenWhen } from '../support/eventually.ts';

let system: DatabasesSystem;
beforeAll(async () => {
  system = await startDatabasesSystem();
});
afterAll(() => system?.stop());

const HASH = { provider: 'hash', dimensions: 32 } as const;

/** An index with objects in one of the databases. */
async function given(database: 'main' | 'east', payloads: Record<string, string> = { a: 'a lion' }): Promise<string> {
  const name = uniqueName(database);
  await system.reembed.indexes.create(name, { model: HASH, database });
  if (Object.keys(payloads).length > 0) await upsert(name, payloads);
  return name;
}

function upsert(index: string, payloads: Record<string, string>) {
  const items = Object.entries(payloads).map(([id, payload]) => ({ id, payload }));
  return system.reembed.tasks.upsert({ index, items }, { wait: 90 });
}

const found = async (index: string, text: string) =>
  (await system.reembed.search(index, { text, limit: 1 })).hits[0]?.id;

describe('an index', () => {
  test('is created in the database that it names, and written, searched and read there', async () => {
    const { reembed, main, east } = system;
    const name = await given('east', { a: 'a lion', b: 'a bank' });
    expect(await findIndex(main.db, name)).toBeUndefined();
    expect(await findIndex(east.db, name)).toBeDefined();
    expect(await found(name, 'a bank')).toBe('b');
    expect(await reembed.indexes.get(name)).toMatchObject({ name, objects: 2, database: 'east' });
    expect((await reembed.objects.get(name, 'a')).payload).toBe('a lion');
    const lines = async function* () {
      yield { id: 'c', payload: 'a river' };
    };
    const written = await reembed.tasks.upsertStream(name, lines(), { wait: 90 });
    expect(written).toMatchObject({ status: 'done' });
    const { hits } = await reembed.search(name, { text: 'a river', limit: 1, after: written.id });
    expect(hits[0]?.id).toBe('c');
    expect(await reembed.tasks.delete({ index: name, ids: ['c'] }, { wait: 90 })).toMatchObject({ status: 'done' });
    const { vectors } = await reembed.embed({ index: name, texts: ['a lion'] });
    expect(vectors[0]).toHaveLength(32);
  });

  test('is in the main database without a name, and both are listed with theirs', async () => {
    const { reembed } = system;
    const [here, there] = [await given('main'), await given('east')];
    const listed = new Map((await reembed.indexes.list()).map(({ name, database }) => [name, database]));
    expect([listed.get(here), listed.get(there)]).toEqual(['main', 'east']);
  });

  test('has a name that no index or alias of another database gets', async () => {
    const { reembed } = system;
    const [name, alias] = [await given('east'), uniqueName('alias')];
    await reembed.aliases.set(alias, name);
    for (const taken of [name, alias]) {
      await expect(reembed.indexes.create(taken, { model: HASH })).rejects.toMatchObject({ type: 'NameTaken' });
    }
    const other = await given('main');
    await expect(reembed.aliases.set(alias, other)).rejects.toMatchObject({
      type: 'InvalidInput',
      issues: [{ path: 'index', message: `must be in the database east, like ${alias}` }],
    });
    expect(await found(alias, 'a lion')).toBe('a');
    expect((await reembed.aliases.list()).find((one) => one.alias === alias)?.index).toBe(name);
  });

  test('of an unknown database is refused with the names of the known ones', async () => {
    const created = system.reembed.indexes.create(uniqueName('nowhere'), { model: HASH, database: 'west' });
    await expect(created).rejects.toMatchObject({
      type: 'InvalidInput',
      issues: [{ path: 'database', message: 'there is no database west: the databases are main, east' }],
    });
  });

  test('that was deleted in one database can be created in another one', async () => {
    const { reembed } = system;
    const name = await given('east');
    const deletion = await reembed.indexes.delete(name);
    await seenWhen(
      () => reembed.tasks.info(deletion.id),
      ({ status }) => status === 'done',
      'the deletion',
    );
    await reembed.indexes.create(name, { model: HASH });
    await upsert(name, { b: 'a bank' });
    expect(await found(name, 'a bank')).toBe('b');
    expect(await reembed.indexes.get(name)).toMatchObject({ database: 'main' });
  });
});

describe('a search over several indexes', () => {
  test('takes them from all databases', async () => {
    const [here, there] = [await given('main', { h: 'a lion' }), await given('east', { t: 'a lion' })];
    const result = await system.reembed.searchMany({ indexes: [here, there], text: 'a lion', limit: 2 });
    expect(result).toMatchObject({ complete: true });
    expect(result.hits.map(({ index, id }) => [index, id]).sort()).toEqual(
      [
        [here, 'h'],
        [there, 't'],
      ].sort(),
    );
  });
});

describe('a task', () => {
  test('rebuilds an index within its database, and is read and listed like any other', async () => {
    const { reembed, east } = system;
    const [source, dest, alias] = [await given('east'), uniqueName('rebuilt'), uniqueName('live')];
    await reembed.aliases.set(alias, source);
    const body = { source: alias, dest, destModel: { ...HASH, dimensions: 16 }, retire: 'never' as const };
    const done = await reembed.tasks.reindex(body, { wait: 90 });
    expect(done).toMatchObject({ status: 'done' });
    expect(await findIndex(east.db, dest)).toBeDefined();
    expect((await reembed.search(alias, { text: 'a lion' })).index).toBe(dest);
    for await (const item of reembed.tasks.failedItems(done.id)) expect(item).toBeUndefined();
  });

  test('that names indexes of two databases is refused by the field', async () => {
    const { reembed } = system;
    const [here, there] = [await given('main'), await given('east')];
    const message = (at: string, like: string) => `must be in the database ${at}, like ${like}`;
    await expect(reembed.tasks.reindex({ source: there, dest: here })).rejects.toMatchObject({
      type: 'InvalidInput',
      issues: [{ path: 'dest', message: message('east', there) }],
    });
    const querySet = uniqueName('set');
    await reembed.querySets.save(querySet, { queries: [{ id: 'q', text: 'a lion', relevant: [] }] });
    await expect(reembed.tasks.evaluate({ left: here, right: there, querySet })).rejects.toMatchObject({
      issues: [{ path: 'right', message: message('main', here) }],
    });
    const second = await given('east');
    await expect(reembed.tasks.evaluate({ left: there, right: second, querySet })).rejects.toMatchObject({
      issues: [{ path: 'querySet', message: message('east', there) }],
    });
  });

  test('evaluates two indexes by a query set in their database', async () => {
    const { reembed } = system;
    const [left, right, querySet] = [await given('east'), await given('east'), uniqueName('set')];
    await reembed.querySets.save(querySet, {
      queries: [{ id: 'q', text: 'a lion', relevant: [{ id: 'a', grade: 1 }] }],
      database: 'east',
    });
    expect((await reembed.querySets.list()).map(({ name }) => name)).toContain(querySet);
    const done = await reembed.tasks.evaluate({ left, right, querySet }, { wait: 90 });
    expect(done, JSON.stringify(done)).toMatchObject({ status: 'done' });
    expect(await reembed.tasks.evaluation(done.id)).toMatchObject({ verdict: expect.anything() });
  });
});

test('a schedule of an audit runs in the database of its index', async () => {
  const { reembed } = system;
  const [index, name] = [await given('east'), uniqueName('audit')];
  await reembed.schedules.put(name, 'default', { type: 'audit', input: { index }, every: '1d' });
  await reembed.schedules.run(name, 'default');
  const { recent } = await seenWhen(
    () => reembed.schedules.get(name, 'default'),
    ({ recent: runs, running }) => runs.length > 0 && running.length === 0,
    'the run',
  );
  const tracker = await reembed.tasks.info(String(recent[0]?.taskId));
  expect(tracker).toMatchObject({ type: 'audit', status: 'done' });
  await reembed.schedules.remove(name, 'default');
});

test('a source follows a table into an index of its database', async () => {
  const { reembed, east } = system;
  const [name, index] = [uniqueName('source'), await given('east', {})];
  const table = name.replaceAll('-', '_');
  await sql.raw(`create table ${table} (id int primary key, body text)`).execute(east.db);
  await sql.raw(`insert into ${table} values (1, 'a lion')`).execute(east.db);
  await reembed.sources.save(name, { index, table, text: ['body'] });
  await seenWhen(
    () => found(index, 'a lion'),
    (id) => id === '1',
    'the first row',
  );
  await sql.raw(`insert into ${table} values (2, 'a bank')`).execute(east.db);
  await seenWhen(
    () => found(index, 'a bank'),
    (id) => id === '2',
    'the second row',
  );
  expect((await reembed.sources.list()).map((one) => one.name)).toContain(name);
  await expect(reembed.sources.save(name, { index: await given('main'), table, text: ['body'] })).rejects.toMatchObject(
    { type: 'InvalidInput', issues: [{ path: 'index' }] },
  );
  await reembed.sources.delete(name);
});

test('a database that is away stops only its own indexes, and is named', async () => {
  const { reembed, proxy } = system;
  const [here, there] = [await given('main', { h: 'a lion' }), await given('east', { t: 'a lion' })];
  expect(await found(there, 'a lion')).toBe('t');
  await proxy.refuse();
  try {
    expect(await found(here, 'a lion')).toBe('h');
    expect(await upsert(here, { b: 'a bank' })).toMatchObject({ status: 'done' });
    await expect(found(there, 'a lion')).rejects.toMatchObject({
      type: 'DatabaseUnavailable',
      message: expect.stringContaining('the database east'),
    });
    await expect(upsert(there, { b: 'a bank' })).rejects.toMatchObject({ type: 'DatabaseUnavailable' });
    await expect(found(uniqueName('nowhere'), 'a lion')).rejects.toMatchObject({ type: 'IndexNotFound' });
    const both = await reembed.searchMany({ indexes: [here, there], text: 'a lion' });
    expect(both).toMatchObject({ complete: false, hits: [{ id: 'h' }, { id: 'b' }] });
    const answer = (await (await fetch(`${system.url}/v1/indexes`)).json()) as Record<string, unknown>;
    expect(answer).toMatchObject({ unavailable: ['east'] });
    expect(await reembed.health()).toMatchObject({
      database: { answers: true },
      databases: [
        { name: 'main', answers: true },
        { name: 'east', answers: false },
      ],
    });
    expect((await fetch(`${system.url}/readyz`)).status).toBe(200);
    const { findings } = await reembed.doctor();
    expect(findings.find(({ check }) => check === 'database-away')).toMatchObject({ details: ['east'] });
  } finally {
    await proxy.open();
  }
  expect(await upsert(there, { b: 'a bank' })).toMatchObject({ status: 'done' });
  expect(await found(there, 'a bank')).toBe('b');
});
