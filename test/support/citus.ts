import pg from 'pg';
import { distribute } from '../../src/store/citus/distribute.ts';
import { type Db, openDatabase } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrate.ts';

/** The workers of the cluster whose coordinator is `DATABASE_URL`: `host:port,…`. Tests of Citus are skipped without. */
export const CITUS_WORKERS = (process.env.REEMBED_TEST_CITUS_WORKERS ?? '').split(',').filter((node) => node !== '');

/** Creates a database on all nodes of the cluster; its workers are reached at `workers`, by default directly. */
export async function createOnCluster(server: string, name: string, workers = CITUS_WORKERS): Promise<string> {
  const nodes = [new URL(server).host, ...CITUS_WORKERS];
  for (const node of nodes) await run(at(server, node), `create database ${name}`);
  for (const node of nodes) await run(at(server, node, name), 'create extension citus');
  const url = at(server, nodes[0] as string, name);
  const { hostname, port } = new URL(url);
  await run(url, `select citus_set_coordinator_host('${hostname}', ${port || 5432})`);
  for (const worker of workers) {
    const [host, workerPort] = worker.split(':');
    await run(url, `select citus_add_node('${host}', ${workerPort})`);
  }
  return url;
}

export async function dropOnCluster(server: string, name: string): Promise<void> {
  const [coordinator] = [new URL(server).host];
  for (const node of [coordinator as string, ...CITUS_WORKERS]) {
    await rollBackPrepared(at(server, node, name));
    await run(at(server, node), `drop database if exists ${name} with (force)`);
  }
}

/** A database with a prepared transaction cannot be dropped. */
async function rollBackPrepared(url: string): Promise<void> {
  const gids = await run(url, 'select gid from pg_prepared_xacts where database = current_database()');
  for (const { gid } of gids) await run(url, `rollback prepared '${gid}'`);
}

/** Opens a migrated, distributed database. */
export async function openOnCluster(url: string): Promise<Db> {
  const first = openDatabase({ url });
  await migrate(first);
  await distribute(first);
  // The settings of the database count for new sessions.
  await first.destroy();
  return openDatabase({ url });
}

function at(server: string, node: string, database?: string): string {
  const url = new URL(server);
  url.host = node;
  if (database !== undefined) url.pathname = `/${database}`;
  return url.href;
}

async function run(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}
