import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { SourceDatabases } from '../../src/store/sources/databases.ts';
import { createIndex, uniqueName } from '../store/builders.ts';
import { takeChanges } from '../store/sources/world.ts';
import { onBothDatabases, openPostgresDatabase } from '../support/databases.ts';
import { call, testApi } from './support.ts';

/** Starts nothing: test/api/contract has a source that is followed. */
const following = {
  start: async ({ name }: { name: string }) => ({ syncTaskId: `sync of ${name}` }),
  stop: async () => {},
};

onBothDatabases((database) => {
  const execute = (statement: string) => sql.raw(statement).execute(database().db);
  const app = (allowed: string[] = [], env: Record<string, string> = {}) => {
    const { db } = database();
    return testApi(db, { sourceDatabases: new SourceDatabases({ db, allowed, env }), following });
  };
  const put = (name: string, body: unknown, query = '') => call(app(), 'PUT', `/v1/sources/${name}${query}`, body);

  /** A table and an index, with a definition that lets the index follow it. */
  async function given() {
    const name = uniqueName('source');
    const table = name.replaceAll('-', '_');
    await execute(`create table ${table} (id int primary key, body text)`);
    const { name: index } = await createIndex(database().db);
    return { name, table, definition: { index, table, text: ['body'] } };
  }

  const triggersOf = async (table: string) => {
    const { rows } = await sql<{ name: string }>`
      select tgname as name from pg_trigger where tgrelid = ${table}::regclass`.execute(database().db);
    return rows.map((row) => row.name);
  };

  describe('PUT /v1/sources/{source}', () => {
    it('makes triggers that record changes', async () => {
      const { name, table, definition } = await given();
      const created = await put(name, definition);
      expect(created).toMatchObject({
        status: 201,
        body: {
          name,
          syncTaskId: `sync of ${name}`,
          state: 'starting',
          reason: null,
          key: ['id'],
          backlog: { changes: 0, seconds: null },
        },
      });
      await execute(`insert into ${table} values (1, 'x')`);
      const { body } = await call(app(), 'GET', `/v1/sources/${name}`);
      expect(body).toMatchObject({ backlog: { changes: 1, estimated: false }, definition });
      expect(await put(name, { ...definition, metadata: ['id'] })).toMatchObject({ status: 200 });
    });

    it('with plan only returns the statements', async () => {
      const { name, table, definition } = await given();
      const { status, body } = await put(name, definition, '?plan=true');
      expect({ status, key: body.key }).toEqual({ status: 200, key: ['id'] });
      expect(body.sql.join('\n')).toContain(`after insert on "public"."${table}"`);
      expect(await triggersOf(table)).toEqual([]);
      expect((await call(app(), 'GET', `/v1/sources/${name}`)).status).toBe(404);
      // Tried and undone: the next source may get the number in these names.
      const tried = database()
        .db.transaction()
        .execute(async (trx) => {
          for (const statement of body.sql) await sql.raw(statement).execute(trx);
          throw new Error('all statements ran');
        });
      await expect(tried).rejects.toThrow('all statements ran');
    });

    it('refuses by field, and changes nothing', async () => {
      const { name, table, definition } = await given();
      const refused = await put(name, { ...definition, index: 'nowhere', text: ['bodi'], metadata: ['id', 'x'] });
      expect(refused.status).toBe(400);
      expect(refused.body.issues.map(({ path }: { path: string }) => path)).toEqual(['index', 'text.0', 'metadata.1']);
      expect(await triggersOf(table)).toEqual([]);
    });

    it('refuses a connection that is not allowed, or not set', async () => {
      const { name, definition } = await given();
      const body = { ...definition, connectionEnv: 'SHOP' };
      const problemOf = async (api: ReturnType<typeof app>) =>
        (await call(api, 'PUT', `/v1/sources/${name}`, body)).body.issues;
      expect(await problemOf(app())).toMatchObject([
        { path: 'connectionEnv', message: expect.stringContaining('REEMBED_SOURCE_CONNECTIONS') },
      ]);
      expect(await problemOf(app(['SHOP']))).toMatchObject([
        { path: 'connectionEnv', message: expect.stringContaining('must be set') },
      ]);
      expect(await problemOf(app(['SHOP'], { SHOP: 'postgres://nobody:secret@127.0.0.1:1/none' }))).toMatchObject([
        {
          path: 'connectionEnv',
          message: expect.stringMatching(/^the database of SHOP does not answer: (?!.*secret)/),
        },
      ]);
    });
  });

  it('GET /v1/sources lists sources by name', async () => {
    const { name, definition } = await given();
    await put(name, definition);
    const { status, body } = await call(app(), 'GET', '/v1/sources');
    expect(status).toBe(200);
    expect(body.sources.map((source: { name: string }) => source.name)).toContain(name);
  });

  it('DELETE /v1/sources/{source} takes all of it away, also if the table is gone', async () => {
    const { name, table, definition } = await given();
    await put(name, definition);
    expect(await call(app(), 'DELETE', `/v1/sources/${name}`)).toMatchObject({ status: 200, body: { sql: [] } });
    expect(await triggersOf(table)).toEqual([]);
    expect((await call(app(), 'GET', `/v1/sources/${name}`)).body.type).toContain('SourceNotFound');
    await put(name, definition);
    await execute(`drop table ${table}`);
    expect((await call(app(), 'DELETE', `/v1/sources/${name}`)).status).toBe(200);
    expect((await call(app(), 'DELETE', `/v1/sources/${name}`)).status).toBe(404);
  });

  it('a table of another database is followed there, and forgotten by force when that is away', async () => {
    const { db } = database();
    const other = await openPostgresDatabase();
    const name = uniqueName('source');
    const { name: index } = await createIndex(db);
    await sql`drop schema reembed cascade`.execute(other.db);
    await sql`create table notes (id uuid primary key default gen_random_uuid(), body text)`.execute(other.db);
    const allowed = ['NOTES'];
    const env: Record<string, string> = { NOTES: other.url };
    const sourceDatabases = new SourceDatabases({ db, allowed, env });
    const api = testApi(db, { sourceDatabases, following });
    const definition = { index, table: 'notes', text: ['body'], connectionEnv: 'NOTES' };
    const { body: plan } = await call(api, 'PUT', `/v1/sources/${name}?plan=true`, definition);
    expect(plan.sql[0]).toBe('create schema reembed');
    expect((await call(api, 'PUT', `/v1/sources/${name}`, definition)).status).toBe(201);
    await sql`insert into notes (body) values ('x')`.execute(other.db);
    const { rows } = await sql<{ no: number }>`select no from reembed.sources where name = ${name}`.execute(db);
    expect(await takeChanges(other.db, { no: rows[0]?.no ?? 0 })).toHaveLength(1);
    await sourceDatabases.close();
    await other.close();
    const refused = await call(api, 'DELETE', `/v1/sources/${name}`);
    expect([refused.status, refused.body.detail]).toEqual([503, expect.stringContaining('use force')]);
    const { status, body } = await call(api, 'DELETE', `/v1/sources/${name}?force=true`);
    expect([status, body.sql]).toEqual([
      200,
      expect.arrayContaining([expect.stringMatching(/^drop table if exists reembed\.source_changes_/)]),
    ]);
    expect((await call(api, 'GET', `/v1/sources/${name}`)).status).toBe(404);
    await sourceDatabases.close();
  });
});
