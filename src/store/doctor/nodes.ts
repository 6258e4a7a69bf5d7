import { sql } from 'kysely';
import { readIsDistributed } from '../citus/layout.ts';
import { clusterProblems, settingProblems } from '../citus/problems.ts';
import type { Db } from '../database.ts';

/** What is prepared for longer was not committed by the session that prepared it. */
const PREPARED_SECONDS = 10;

/** Checks of the nodes of Citus; each returns what it found, one text for each thing, and nothing without Citus. */
export const nodeChecks = {
  async nodesUnfit(db: Db): Promise<string[]> {
    if (!(await readIsDistributed(db))) return [];
    return [...(await clusterProblems(db)), ...(await settingProblems(db))];
  },

  async nodesBehind(db: Db): Promise<string[]> {
    if (!(await readIsDistributed(db))) return [];
    const command = `
      select count(*)
      from pg_prepared_xacts
      where database = current_database() and prepared < now() - interval '${PREPARED_SECONDS} seconds'`;
    const { rows } = await sql<{ node: string; success: boolean; result: string }>`
      select nodename || ':' || nodeport as node, success, result
      from run_command_on_workers(${sql.lit(command)})`.execute(db);
    return rows.flatMap(({ node, success, result }) => {
      if (!success) return [`the node ${node} does not answer: ${result}`];
      return result === '0' ? [] : [`the node ${node} has ${result} prepared transactions`];
    });
  },
};
