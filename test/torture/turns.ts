import { setTimeout as sleep } from 'node:timers/promises';
import type { RollBack } from '../../src/client/client.ts';
import { type Api, type CallLog, TOO_LATE, tryTo } from './accept.ts';
import { ALIAS } from './clients.ts';
import type { ReindexPlan } from './plans.ts';

const TRIES = 20;

interface Parts {
  api: Api;
  log: CallLog;
  counts: { rollbacks: number; rollForwards: number };
  say: (line: string) => void;
}

interface Switched {
  taskId: string;
  old: string;
  fresh: string;
}

/**
 * Rolls a reindex back, forward, and back again, as planned: refused while the index is not current, and nothing may be
 * missing afterwards. Returns whether it was rolled back at least once.
 */
export async function turn(parts: Parts, switched: Switched, plan: ReindexPlan): Promise<boolean> {
  const { api, log, counts, say } = parts;
  const { taskId, old, fresh } = switched;
  if (plan.turns === 'none') return false;
  await sleep(500);
  if (plan.turns === 'byHand') return moveBack(parts, old);
  let keeperId: string | undefined;
  for (let at = 0; at < Number(plan.turns); at++) {
    const to = at % 2 === 0 ? old : fresh;
    const done = await again(() => rollTo(parts, taskId, to));
    if (!done) break;
    if (at === 0) counts.rollbacks++;
    else counts.rollForwards++;
    ({ keeperId } = done);
    say(`${taskId}: rolled ${to === old ? 'back' : 'forward'} to ${to}: ${done.last?.written} written meanwhile`);
  }
  const keeper = keeperId;
  if (keeper !== undefined && plan.endsKeeping) {
    await tryTo(log, `cancel ${keeper}`, () => api.tasks.cancel(keeper), TOO_LATE);
  }
  return keeper !== undefined;
}

function rollTo({ api, log }: Parts, taskId: string, to: string): Promise<RollBack | null> {
  const expected = ['NotCurrent', 'RollBackRefused', 'NoWorker', 'TaskNotFound', 'InvalidInput'];
  return tryTo(log, `roll ${taskId} to ${to}`, () => api.tasks.rollBack(taskId, { to }), expected);
}

/** Moves the alias back to the index that is kept current. */
async function moveBack({ api, log, counts, say }: Parts, to: string): Promise<boolean> {
  const expected = ['NotCurrent', 'IndexNotFound', 'IndexDeleting', 'IndexLocked'];
  const set = await again(() => tryTo(log, `move back to ${to}`, () => api.aliases.set(ALIAS, to), expected));
  if (!set) return false;
  counts.rollbacks++;
  say(`moved back to ${to}`);
  return true;
}

async function again<T>(call: () => Promise<T | null>): Promise<T | null> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const done = await call();
    if (done !== null) return done;
    await sleep(100);
  }
  return null;
}
