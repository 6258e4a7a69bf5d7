import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import type { Trx } from '../database.ts';
import { codeOf, SQLSTATE } from '../sqlstate.ts';

/** Max wait for the nodes, during which writers may be held back. */
const SETTLE_MS = 10_000;
const PAUSE_MS = 25;

/** Prepared transactions that the coordinator began. */
const PREPARED = `
  select coalesce(string_agg(gid, ' '), '')
  from pg_prepared_xacts
  where database = current_database() and gid like 'citus\\_0\\_%'`;

/**
 * Returns once every transaction that had committed when this began has taken effect on all nodes. Citus answers a
 * COMMIT, and releases its advisory locks, also if a node did not execute COMMIT PREPARED; its maintenance daemon
 * repeats that up to a minute later. The holder of an exclusive lock therefore
 * looks for prepared transactions and recovers them. Citus does that on a connection of its own: within a transaction that took part, it would fail.
 * @throws ReembedError `DatabaseUnavailable` if a node does not answer or a transaction stays prepared
 */
export async function settleWrites(trx: Trx): Promise<void> {
  const endMs = performance.now() + SETTLE_MS;
  await sql`savepoint settle`.execute(trx);
  await sql`select set_config('statement_timeout', ${String(SETTLE_MS)}, true)`.execute(trx);
  try {
    const before = await readPrepared(trx);
    for (let left = before; left.size > 0; ) {
      await recover(trx);
      const now = await readPrepared(trx);
      left = new Set([...left].filter((gid) => now.has(gid)));
      if (left.size === 0) break;
      if (performance.now() > endMs) throw unsettled(`${[...left][0]} stays prepared`);
      await sleep(PAUSE_MS); // others commit right now
    }
  } catch (error) {
    if (codeOf(error) !== SQLSTATE.queryCanceled) throw error;
    throw unsettled('a node did not answer in time', { cause: error });
  }
  // Restores the time limit.
  await sql`rollback to savepoint settle`.execute(trx);
}

async function readPrepared(trx: Trx): Promise<Set<string>> {
  const { rows } = await sql<{ node: string; success: boolean; result: string }>`
    select 'coordinator' as node, true as success, (${sql.raw(PREPARED)}) as result
    union all
    select nodename || ':' || nodeport, success, result from run_command_on_workers(${sql.lit(PREPARED)})`.execute(trx);
  const silent = rows.find(({ success }) => !success);
  if (silent) throw unsettled(`the node ${silent.node} does not answer: ${silent.result}`);
  return new Set(rows.flatMap(({ result }) => result.split(' ')).filter((gid) => gid !== ''));
}

async function recover(trx: Trx): Promise<void> {
  const { rows } = await sql<{ success: boolean; result: string }>`
    select success, result from run_command_on_coordinator('select recover_prepared_transactions()')`.execute(trx);
  if (rows[0]?.success !== true) throw unsettled(`the coordinator cannot connect to itself: ${rows[0]?.result}`);
}

function unsettled(why: string, options: { cause?: unknown } = {}): ReembedError {
  return new ReembedError(
    'DatabaseUnavailable',
    `it is not certain that all earlier writes are on the nodes of Citus: ${why}`,
    options,
  );
}
