import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { requireMigrated } from '../../../src/runtime/database.ts';
import { distribute } from '../../../src/store/citus/distribute.ts';
import { isDistributed } from '../../../src/store/citus/layout.ts';
import { settingProblems } from '../../../src/store/citus/problems.ts';
import { type Db, openDatabase } from '../../../src/store/database.ts';
import { nodeChecks } from '../../../src/store/doctor/nodes.ts';
import { indexInfo } from '../../../src/store/index-info.ts';
import { migrate } from '../../../src/store/migrate.ts';
import { markChanges } from '../../../src/store/protocol/copy.ts';
import { searchObjects } from '../../../src/store/search.ts';
import { buildVectorIndex, hasParts } from '../../../src/store/vector-index.ts';
import { CITUS_WORKERS, createOnCluster, dropOnCluster } from '../../support/citus.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { content, createIndex, vectorOf, writeIn } from '../builders.ts';

describe.skipIf(CITUS_WORKERS.length > 0)('a database without Citus', () => {
  let opened: TestDatabase;
  beforeAll(async () => {
    opened = await openPostgresDatabase();
  });
  afterAll(() => opened?.close());

  it('is not distributed: the reason is reported, and nothing is changed', async () => {
    const { db } = opened;
    await expect(distribute(db)).rejects.toMatchObject({
      type: 'InvalidSetting',
      message: expect.stringContaining('the database has no extension citus'),
    });
    expect(await isDistributed(db)).toBe(false);
    await requireMigrated(db);
    expect(await nodeChecks.nodesUnfit(db)).toEqual([]);
    expect(await nodeChecks.nodesBehind(db)).toEqual([]);
  });
});

describe.skipIf(CITUS_WORKERS.length === 0)('a cluster of Citus', () => {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  let url: string;
  let db: Db;
  const again = async () => {
    await db.destroy();
    db = openDatabase({ url });
  };

  beforeAll(async () => {
    url = await createOnCluster(inject('postgresUrl'), name, []);
    db = openDatabase({ url });
    await migrate(db);
  });
  afterAll(async () => {
    await db?.destroy();
    await dropOnCluster(inject('postgresUrl'), name);
  });

  const refusal = (why: string) => ({ type: 'InvalidSetting', message: expect.stringContaining(why) });

  it('is refused until it is fit, with the reason, and then once distributed', async () => {
    await expect(distribute(db)).rejects.toMatchObject(refusal('the cluster has no worker'));
    for (const worker of CITUS_WORKERS) {
      const [host, port] = worker.split(':');
      await sql`select citus_add_node(${host}, ${Number(port)})`.execute(db);
    }

    await sql`alter database ${sql.id(name)} set citus.shard_replication_factor = 2`.execute(db);
    await again();
    await expect(distribute(db)).rejects.toMatchObject(refusal('citus.shard_replication_factor is 2'));
    await sql`alter database ${sql.id(name)} reset citus.shard_replication_factor`.execute(db);
    await again();

    const role = `role_${name}`;
    await sql`create role ${sql.id(role)} login`.execute(db);
    const other = new URL(url);
    other.username = role;
    const unprivileged = openDatabase({ url: other.href });
    try {
      await expect(distribute(unprivileged)).rejects.toMatchObject(
        refusal('the role may not execute recover_prepared_transactions()'),
      );
    } finally {
      await unprivileged.destroy();
      await sql`drop role ${sql.id(role)}`.execute(db);
    }

    const worker = new URL(url);
    worker.host = CITUS_WORKERS[0] as string;
    const onWorker = openDatabase({ url: worker.href });
    try {
      await expect(distribute(onWorker)).rejects.toMatchObject(refusal('this node is not the coordinator'));
    } finally {
      await onWorker.destroy();
    }

    const early = await createIndex(db, { name: 'early' });
    await expect(distribute(db)).rejects.toMatchObject(refusal('it has indexes, for instance early'));
    await sql`delete from reembed.indexes where no = ${early.no}`.execute(db);
    expect(await isDistributed(db)).toBe(false);

    expect(await distribute(db)).toBe(true);
    expect(await distribute(db)).toBe(false);
    await again();
    expect(await isDistributed(db)).toBe(true);
    expect(await settingProblems(db)).toEqual([]);
    expect(await nodeChecks.nodesUnfit(db)).toEqual([]);
    expect(await nodeChecks.nodesBehind(db)).toEqual([]);
    await requireMigrated(db);
  });

  it('has the objects of an index with their parts on all nodes, and sees their sizes', async () => {
    const index = await createIndex(db);
    const objects = Array.from({ length: 40 }, (_, at) => content(`o${at}`, at + 1));
    await writeIn(db, index, objects);
    const { rows } = await sql<{ nodes: number }>`
      select count(distinct nodename || ':' || nodeport)::int as nodes
      from citus_shards
      where table_name = ${`reembed.objects_${index.no}`}::regclass and shard_size > 8192`.execute(db);
    expect(rows[0]?.nodes).toBe(CITUS_WORKERS.length);
    expect((await indexInfo(db, index)).bytes).toBeGreaterThan(0);
    // Postgres itself sees no bytes on the coordinator, and an HNSW index would never be built.
    expect(await hasParts(db, index, 40)).toBe(true);
  });

  it('finds by the HNSW indexes of all shards what a comparison of all finds', async () => {
    const index = await createIndex(db);
    const objects = Array.from({ length: 60 }, (_, at) => content(`o${at}`, at + 1));
    await writeIn(db, index, objects);
    const request = { vector: vectorOf(7), limit: 5 };
    const exact = await searchObjects(db, index, { ...request, exact: true });
    expect(await buildVectorIndex(db, index, { memoryMb: 64 })).toBe(true);
    const found = await searchObjects(db, index, request);
    expect(found).toMatchObject({ exact: false, complete: true });
    expect(found.hits).toEqual(exact.hits);
    expect(await markChanges(db, index.no)).toBeGreaterThan(0);
  });

  it('refuses an index with full text by its field', async () => {
    await expect(createIndex(db, { fullText: { language: 'english' } })).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('fullText must be left out'),
    });
  });
});
