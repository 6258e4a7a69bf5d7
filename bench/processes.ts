import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../src/runtime/servers/ports.ts';
import { type ServerProcess, startProcess } from '../src/runtime/servers/processes.ts';
import { buildInto } from '../test/torture/build.ts';
import { startBenchTemporal } from './temporal.ts';

const READY_MS = 60_000;
const SAMPLE_MS = 200;

export interface BenchProcesses {
  /** Of the API. */
  url: string;
  temporalAddress: string;
  /** The most memory that each process has had resident, in MiB. */
  peaks(): Record<'api' | 'worker', number>;
  stop(): Promise<void>;
}

/** Temporal, an API and a worker as in earnest: the built program, each in a process of its own. Linux alone. */
export async function startProcesses(
  databaseUrl: string,
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<BenchProcesses> {
  const folder = mkdtempSync(path.join(tmpdir(), 'reembed-bench-'));
  const main = await buildInto(folder);
  const temporal = await startBenchTemporal(say);
  const port = await freePort('127.0.0.1');
  const settings = {
    ...process.env,
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporal.address,
    REEMBED_PORT: String(port),
    ...env,
  };
  const start = (name: 'api' | 'worker'): Promise<ServerProcess> =>
    startProcess({
      title: name,
      command: process.execPath,
      args: [main, name],
      env: settings,
      logFile: path.join(folder, `${name}.log`),
      stopSignal: 'SIGTERM',
    });
  const running = { api: await start('api'), worker: await start('worker') };
  const url = `http://127.0.0.1:${port}`;
  await untilReady(url);
  const peaks = { api: 0, worker: 0 };
  const sampling = setInterval(() => {
    for (const name of ['api', 'worker'] as const) {
      peaks[name] = Math.max(peaks[name], residentMib(running[name].process.pid as number));
    }
  }, SAMPLE_MS);
  return {
    url,
    temporalAddress: temporal.address,
    peaks: () => ({ ...peaks }),
    async stop() {
      clearInterval(sampling);
      await Promise.all([running.api.stop(), running.worker.stop()]);
      await temporal.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilReady(url: string): Promise<void> {
  for (const endMs = Date.now() + READY_MS; ; await sleep(100)) {
    const response = await fetch(`${url}/readyz`).catch(() => null);
    if (response?.ok) return;
    if (Date.now() > endMs) throw new Error(`the API is not ready: ${response?.status ?? 'no answer'}`);
  }
}

function residentMib(pid: number): number {
  const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1_024;
}
