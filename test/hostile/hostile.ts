import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { System } from '../torture/system.ts';
import type { AttackReport, AttackRequest } from './attacker.ts';
import { type AttackCount, isAnswered } from './count.ts';
import { watchMemory } from './memory.ts';
import { type Latency, probe } from './probe.ts';

export interface HostileOptions {
  seconds: number;
  /** Names of attacks; default: all. */
  only?: readonly string[] | undefined;
  /** Limit of the 99th percentile of `/healthz`; null where other work shares the machine. */
  healthMs?: number | null;
  say: (line: string) => void;
}

export interface HostileResult {
  ok: boolean;
  problems: string[];
  seconds: number;
  /** Limits beyond which the run fails. */
  bounds: { heapMb: number; residentMb: number; healthzP99Ms: number | null };
  /** Peak resident memory of each process. */
  residentMb: Record<string, number>;
  /** Processes that ended by themselves. */
  deaths: number;
  healthz: Latency;
  attacks: Record<string, AttackCount>;
  /** Time of a small write after the attacks, from its sending to its end. */
  writeAfterMs: number | null;
}

const HEAP_MB = 512;
/** Memory of a process: its heap, the heaps of its threads, buffers, and Temporal's core: 900 to 1,150 MB were seen. */
const RESIDENT_MB = 1_280;
const HEALTH_MS = 200;
/** Long, since the accepted work is finished first. */
const WRITE_AFTER_MS = 120_000;
const LATEST_MS = 270_000;

/**
 * Sends legal but hostile calls, all kinds at once, to an API and a worker in separate processes with a heap of 512 MB
 * each. Fails if one of them ends, an answer is wrong, `/healthz` is slow, or the system does not recover.
 */
export async function hostile({ seconds, only, healthMs = HEALTH_MS, say }: HostileOptions): Promise<HostileResult> {
  const system = new System(say, {
    workers: ['worker 1'],
    env: {
      NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}`,
      REEMBED_ALLOW_PRIVATE_ADDRESSES: 'true',
    },
  });
  let keepFolder = true;
  try {
    await system.start();
    const memory = watchMemory(() => system.pids());
    const health = probe(`${system.apiUrl}/healthz`);
    const attacks = await attack({ url: system.apiUrl, only, seconds });
    const healthz = await health();
    const writeAfterMs = await writeAfter(system.apiUrl);
    const residentMb = memory();
    const bounds = { heapMb: HEAP_MB, residentMb: RESIDENT_MB, healthzP99Ms: healthMs };
    const seen = { seconds, bounds, residentMb, deaths: system.deaths.length, healthz, attacks, writeAfterMs };
    const problems = [...system.deaths.map((death) => `a process ended: ${death}`), ...problemsOf(seen)];
    keepFolder = problems.length > 0;
    return { ok: problems.length === 0, problems, ...seen };
  } finally {
    if (keepFolder) say(`logs are in ${system.folder}`);
    await system.stop({ keepFolder });
  }
}

/** Sends the calls from another process, which has a lower priority. */
async function attack(request: AttackRequest): Promise<HostileResult['attacks']> {
  const child = fork(fileURLToPath(new URL('./attacker.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] });
  const limit = setTimeout(() => child.kill('SIGKILL'), request.seconds * 1_000 + LATEST_MS);
  try {
    child.send(request);
    const [report] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code, signal]) => [{ error: `the attacker ended by itself: ${signal ?? code}` }]),
    ])) as [AttackReport];
    if ('error' in report) throw new Error(report.error);
    return report.attacks;
  } finally {
    clearTimeout(limit);
    if (child.exitCode === null) child.kill('SIGKILL');
  }
}

/** Checks that the system recovers; null if it does not within two minutes. */
async function writeAfter(url: string): Promise<number | null> {
  const began = Date.now();
  const headers = { 'content-type': 'application/json' };
  const send = (method: string, path: string, body: object) =>
    fetch(url + path, { method, headers, body: JSON.stringify(body), signal: AbortSignal.timeout(WRITE_AFTER_MS) });
  while (Date.now() < began + WRITE_AFTER_MS) {
    try {
      const created = await send('PUT', '/v1/indexes/after', { model: { provider: 'hash', dimensions: 8 } });
      await created.body?.cancel();
      const items = [{ id: 'a', payload: 'still there' }];
      const path = '/v1/tasks/upsert/run?wait=true&timeout=60';
      const written = await send('POST', path, { taskId: 'after', index: 'after', items });
      if (created.ok && ((await written.json()) as { status?: string }).status === 'done') return Date.now() - began;
    } catch {
      // It retries, as any client would.
    }
    await sleep(500);
  }
  return null;
}

function problemsOf(seen: Omit<HostileResult, 'ok' | 'problems'>): string[] {
  const { bounds, residentMb, healthz, attacks, writeAfterMs } = seen;
  const problems: string[] = [];
  for (const [name, mb] of Object.entries(residentMb)) {
    if (mb > bounds.residentMb) problems.push(`${name} took ${mb} MB of memory, more than ${bounds.residentMb}`);
  }
  const { failed, p99 } = healthz;
  if (healthz.count === 0 || failed > 0) problems.push(`/healthz failed ${failed} of ${healthz.count} times`);
  if (bounds.healthzP99Ms !== null && p99 >= bounds.healthzP99Ms) {
    problems.push(`/healthz took ${p99} ms at the 99th percentile, not below ${bounds.healthzP99Ms}`);
  }
  for (const [name, count] of Object.entries(attacks)) {
    const { wrongs, wrong } = count;
    if (wrongs > 0) problems.push(`${name}: ${wrongs} wrong answers, such as ${wrong.join('; ')}`);
    if (!isAnswered(count)) problems.push(`${name}: no call was answered`);
  }
  if (writeAfterMs === null) problems.push(`a write was not done ${WRITE_AFTER_MS / 1_000} s after the attacks`);
  return problems;
}
