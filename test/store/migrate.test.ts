import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import pg from 'pg';
import { describe, expect, inject, it } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrate.ts';
import { onBothDatabases } from '../support/databases.ts';

onBothDatabases((database) => {
  it('migrating a second time does nothing', async () => {
    expect(await migrate(database().db)).toEqual([]);
  });

  it('every table of the product lies in its own schema', async () => {
    const { rows } = await sql<{ table_name: string }>`
      select table_name from information_schema.tables where table_schema = 'public'`.execute(database().db);
    expect(rows).toEqual([]);
  });
});

describe('several processes at once', () => {
  it('can migrate one empty database, and each migration runs once', async () => {
    const admin = new pg.Client({ connectionString: inject('postgresUrl') });
    await admin.connect();
    for (let round = 0; round < 3; round++) {
      const name = `test_${randomUUID().replaceAll('-', '')}`;
      await admin.query(`create database ${name}`);
      const url = new URL(inject('postgresUrl'));
      url.pathname = `/${name}`;
      const processes = Array.from({ length: 6 }, () => openDatabase({ url: url.href, maxConnections: 2 }));
      const ran = await Promise.all(processes.map((db) => migrate(db)));
      expect(ran.flat()).toEqual(['0001_initial', '0002_finished_writes', '0003_steer_results', '0004_model_limits']);
      await Promise.all(processes.map((db) => db.destroy()));
    }
    await admin.end();
  });
});
