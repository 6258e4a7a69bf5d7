import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import { type Db, type Trx, transaction } from '../database.ts';
import { lockNames } from '../protocol/gate.ts';
import { readIsDistributed } from './layout.ts';
import { clusterProblems, SETTINGS } from './problems.ts';

/** The maintenance daemon starts some seconds after the extension was created. */
const DAEMON_TRIES = 20;
const DAEMON_PAUSE_MS = 500;

/**
 * Makes the tables of all indexes that are created from now on distributed tables of Citus; everything else stays on the
 * coordinator. The schema must be up to date. Returns false if that was done before.
 * @throws ReembedError `InvalidSetting` if the cluster or the database is not fit for it; nothing is changed then
 */
export async function distribute(db: Db): Promise<boolean> {
  await requireCluster(db);
  return transaction(db, async (trx) => {
    await lockNames(trx); // no index is created meanwhile
    if (await readIsDistributed(trx)) return false;
    const indexes = await trx.selectFrom('reembed.indexes').select('name').limit(1).execute();
    if (indexes[0]) {
      throw refused(
        `it has indexes, for instance ${indexes[0].name}: distribute an empty database, and import them there`,
      );
    }
    await sql`set local statement_timeout = 0`.execute(trx);
    await sql`select create_distributed_table('reembed.objects', 'object_id', colocate_with => 'none')`.execute(trx);
    await distributeTable(trx, 'reembed.parts');
    await sql`insert into reembed.layout (kind) values ('citus')`.execute(trx);
    const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(trx);
    for (const [name, value] of Object.entries(SETTINGS)) {
      await sql`alter database ${sql.id(rows[0]?.name ?? '')} set ${sql.raw(name)} = ${sql.lit(value)}`.execute(trx);
    }
    return true;
  });
}

/** Distributes an empty table like those of all indexes, so that an object and its parts are always on one node. */
export async function distributeTable(trx: Trx, name: string): Promise<void> {
  await sql`
    select create_distributed_table(${name}::regclass, 'object_id', colocate_with => 'reembed.objects')`.execute(trx);
}

/**
 * Checks that a distributed database can be used without losing writes; does nothing if it is not distributed.
 * @throws ReembedError `InvalidSetting`
 */
export async function requireFitLayout(db: Db): Promise<void> {
  if (await readIsDistributed(db)) await requireCluster(db);
}

async function requireCluster(db: Db): Promise<void> {
  for (let tries = 1; ; tries++) {
    const [problem] = await clusterProblems(db);
    if (problem === undefined) return;
    if (tries >= DAEMON_TRIES || !problem.includes('maintenance daemon')) throw refused(problem);
    await sleep(DAEMON_PAUSE_MS);
  }
}

function refused(why: string): ReembedError {
  return new ReembedError('InvalidSetting', `the database cannot be distributed with Citus: ${why}`);
}
