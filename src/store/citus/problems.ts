import { sql } from 'kysely';
import type { Db } from '../database.ts';

/** The oldest version of Citus whose statements reembed uses. */
const MIN_VERSION = 12;

/** What `alter database … set` must have set, and to what. Citus otherwise lets writers wait for each other in a circle. */
export const SETTINGS = {
  'citus.all_modifications_commutative': 'on',
  'citus.multi_shard_modify_mode': 'sequential',
} as const;

/** Facts about the cluster, as the node of the connection sees it. */
interface Facts {
  isCoordinator: boolean;
  workers: number;
  replication: number;
  isRecovering: boolean;
  recoverEvery: string;
  mayRecover: boolean;
}

/** Returns why a database of Citus cannot hold distributed indexes without losing writes, one text for each reason. */
export async function clusterProblems(db: Db): Promise<string[]> {
  const { rows: found } = await sql<{ version: string }>`
    select extversion as version from pg_extension where extname = 'citus'`.execute(db);
  const version = found[0]?.version;
  if (version === undefined) return ['the database has no extension citus'];
  if (Number.parseInt(version, 10) < MIN_VERSION) return [`Citus is ${version}, and must be ${MIN_VERSION} or newer`];
  const { rows } = await sql<Facts>`
    select
      citus_is_coordinator() as "isCoordinator",
      (select count(*)::int from citus_get_active_worker_nodes()) as workers,
      current_setting('citus.shard_replication_factor')::int as replication,
      exists (
        select from pg_stat_activity
        where datname = current_database() and application_name = 'Citus Maintenance Daemon'
      ) as "isRecovering",
      current_setting('citus.recover_2pc_interval') as "recoverEvery",
      has_function_privilege('pg_catalog.recover_prepared_transactions()', 'execute') as "mayRecover"`.execute(db);
  return rows[0] ? problemsOf(rows[0]) : [];
}

function problemsOf(facts: Facts): string[] {
  if (!facts.isCoordinator) {
    return ['this node is not the coordinator, which alone assigns numbers and holds the gates: connect to it'];
  }
  return [
    facts.workers === 0 && 'the cluster has no worker: add one with citus_add_node',
    facts.replication > 1 &&
      `citus.shard_replication_factor is ${facts.replication}, and must be 1: let Postgres replicate each node`,
    !facts.isRecovering &&
      'the maintenance daemon of Citus does not run, which repeats commits that failed on a node: see the log of Postgres, and max_worker_processes',
    facts.recoverEvery === '-1' && 'citus.recover_2pc_interval is -1: commits that failed on a node are never repeated',
    !facts.mayRecover &&
      'the role may not execute recover_prepared_transactions(): grant execute on function pg_catalog.recover_prepared_transactions() to it',
  ].filter((problem) => problem !== false);
}

/** Returns which settings of the database are missing, one text for each. Without them writes are slow, not wrong. */
export async function settingProblems(db: Db): Promise<string[]> {
  const { rows } = await sql<{ name: string; value: string | null }>`
    select name, current_setting(name, true) as value from unnest(${Object.keys(SETTINGS)}::text[]) name`.execute(db);
  return rows
    .filter(({ name, value }) => value !== SETTINGS[name as keyof typeof SETTINGS])
    .map(
      ({ name, value }) => `${name} is ${value ?? 'not set'}, and should be ${SETTINGS[name as keyof typeof SETTINGS]}`,
    );
}
