import { sql } from 'kysely';
import type { Db, Trx } from '../../src/store/database.ts';
import type { Pause } from './world.ts';

interface Paused {
  process: number;
  where: string;
  go: (order: 'go' | 'die') => void;
}

/** Max crashes of one process in one run; more would only repeat themselves. */
const MAX_DEATHS = 2;

/**
 * Runs processes against a real Postgres in an interleaving that `choose` decides: whenever every process has stopped
 * (at a pause, or in the database, waiting for a lock that another one holds), one paused process continues or dies.
 * Nothing depends on time, so the same choices give the same run.
 */
export async function interleave(
  db: Db,
  choose: () => number,
  processes: readonly ((pause: Pause) => Promise<void>)[],
): Promise<void> {
  const paused: Paused[] = [];
  const failures: unknown[] = [];
  const deaths = processes.map(() => 0);
  let running = processes.length;
  let changed = () => {};

  for (const [process, run] of processes.entries()) {
    const pause: Pause = (where) =>
      new Promise((go) => {
        paused.push({ process, where, go });
        running--;
        changed();
      });
    pause('start')
      .then(() => run(pause))
      .catch((error) => failures.push(error))
      .finally(() => {
        running--;
        changed();
      });
  }

  const quiet = async () => {
    while (running > 0) {
      const event = new Promise<void>((resolve) => {
        changed = resolve;
      });
      await Promise.race([event, new Promise((resolve) => setTimeout(resolve, 5))]);
      if (running > 0 && (await waiting(db)) >= running) return;
    }
  };
  let last = -1;
  let burst = 0;
  for (;;) {
    await quiet();
    if (paused.length === 0 && running === 0) break;
    if (paused.length === 0) continue; // all wait in the database, which is about to release one or to end a deadlock
    // In the order of the processes, not of their arrival.
    paused.sort((a, b) => a.process - b.process);
    const choice = choose();
    // Several steps of one process in a row, while the others stand still, find more than an even mixture does.
    const again = paused.findIndex(({ process }) => process === last);
    // So do writes that stay open for a long time.
    const short = paused.filter(({ where }) => where !== 'commit of a write');
    const among = short.length > 0 && Math.floor(choice / 480) % 5 > 0 ? short : paused;
    const at = burst-- > 0 && again >= 0 ? again : paused.indexOf(among[choice % among.length] as Paused);
    const [next] = paused.splice(at, 1) as [Paused];
    if (next.process !== last) burst = Math.floor(choice / 60) % 8;
    last = next.process;
    const dies = Math.floor(choice / 2_400) % 40 === 0 && (deaths[next.process] ?? 0) < MAX_DEATHS;
    if (dies) deaths[next.process] = (deaths[next.process] ?? 0) + 1;
    running++;
    next.go(dies ? 'die' : 'go');
  }
  if (failures.length > 0) throw failures[0];
}

async function waiting(db: Db): Promise<number> {
  const { rows } = await sql<{ sessions: number }>`
    select count(*) as sessions
    from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
  return rows[0]?.sessions ?? 0;
}

/** The same database, but its transactions pause before they commit, when nobody else sees what they have done. */
export function pausingBeforeCommit(db: Db, pause: () => Promise<void>): Db {
  const paused =
    <T>(work: (trx: Trx) => Promise<T>) =>
    async (trx: Trx) => {
      const result = await work(trx);
      await pause();
      return result;
    };
  return new Proxy(db, {
    get(target, property) {
      if (property !== 'transaction') {
        const value = Reflect.get(target, property);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return () => ({
        setIsolationLevel: (level: 'read committed') => ({
          execute: <T>(work: (trx: Trx) => Promise<T>) =>
            target.transaction().setIsolationLevel(level).execute(paused(work)),
        }),
      });
    },
  });
}
