import { setMaxListeners } from 'node:events';
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ATTACKS, type Attack } from './attacks.ts';
import { make } from './calls.ts';
import { type AttackCount, isAnswered } from './count.ts';
import { type HostileServers, startHostileServers } from './servers.ts';

/** Request to the process that sends the calls. */
export interface AttackRequest {
  url: string;
  only?: readonly string[] | undefined;
  seconds: number;
}

export type AttackReport = { attacks: Record<string, AttackCount> } | { error: string };

/** Lower priority than everything else, so that the run measures the product and not its caller. */
const NICENESS = 5;
/** Max extra time on a slow machine, where the attacks continue until each kind was answered once. */
const OVERTIME_MS = 150_000;
/** Pause between two turns of one attack. */
const PAUSE_MS = 250;
const KEPT_WRONG = 3;
/** Time for the clients to disconnect at the end. */
const LEAVE_MS = 20_000;

async function attack({ url, only, seconds }: AttackRequest): Promise<Record<string, AttackCount>> {
  const servers = await startHostileServers();
  const chosen = ATTACKS.filter(({ name }) => only?.includes(name) ?? true);
  for (const { indexes } of chosen) await createIndexes(url, indexes?.(servers) ?? {});
  const counts = Object.fromEntries(chosen.map(({ name }) => [name, newCount()]));
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  const attacking = chosen.map((one) =>
    repeatAttack(one, counts[one.name] as AttackCount, { url, servers }, over.signal),
  );
  await sleep(seconds * 1_000);
  for (const endMs = Date.now() + OVERTIME_MS; Date.now() < endMs && !Object.values(counts).every(isAnswered); ) {
    await sleep(100);
  }
  over.abort();
  await Promise.race([Promise.all(attacking), sleep(LEAVE_MS, undefined, { ref: false })]);
  servers.close();
  return counts;
}

async function createIndexes(url: string, indexes: Record<string, object>): Promise<void> {
  for (const [name, config] of Object.entries(indexes)) {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/v1/indexes/${name}`, { method: 'PUT', headers, body: JSON.stringify(config) });
    if (!answer.ok) throw new Error(`index ${name}: ${answer.status} ${await answer.text()}`);
  }
}

function newCount(): AttackCount {
  return { times: 0, statuses: {}, wrong: [], wrongs: 0 };
}

async function repeatAttack(
  one: Attack,
  count: AttackCount,
  { url, servers }: { url: string; servers: HostileServers },
  ended: AbortSignal,
): Promise<void> {
  while (!ended.aborted) {
    const calls = one.calls(count.times, servers);
    count.times += 1;
    await Promise.all(
      calls.map(async (call) => {
        const { status, wrong } = await make(url, call, ended);
        if (status !== 0 || !ended.aborted) count.statuses[status] = (count.statuses[status] ?? 0) + 1;
        if (wrong === undefined) return;
        count.wrongs += 1;
        if (count.wrong.length < KEPT_WRONG) count.wrong.push(wrong);
      }),
    );
    await sleep(PAUSE_MS);
  }
}

process.once('message', (request: AttackRequest) => {
  setPriority(NICENESS);
  attack(request)
    .then(
      (attacks) => ({ attacks }),
      (error: Error) => ({ error: error.stack ?? error.message }),
    )
    .then((report: AttackReport) => process.send?.(report, () => process.exit()));
});
process.once('disconnect', () => process.exit());
