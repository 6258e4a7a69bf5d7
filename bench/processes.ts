import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../src/runtime/servers/ports.ts';
import { type ServerProcess, startProcess } from '../src/runtime/servers/processes.ts';
import { buildInto } from '../test/support/build.ts';
import { startBenchTemporal } from './temporal.ts';

const READY_MS = 60_000;
const SAMPLE_MS = 200;

export interface BenchProcesses<Name extends string> {
  /** The URL of the API. */
  url: string;
  temporalAddress: string;
  /** Metrics of the Temporal server. */
  temporalMetricsUrl: string;
  /** Peak resident memory of each process, in MiB. */
  peaks(): Record<Name, number>;
  pids: Record<Name, number>;
  /** Returns the resident memory of each process, in MiB, and forgets the peaks. */
  resetPeaks(): Record<Name, number>;
  stop(): Promise<void>;
}

/**
 * Starts Temporal, an API and workers as in production: the built program, each in a separate process. `commands` has
 * the arguments of each. Linux only.
 */
export async function startProcesses<Name extends string>(
  commands: Record<Name, readonly string[]>,
  databaseUrl: string,
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<BenchProcesses<Name>> {
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
  const names = Object.keys(commands) as Name[];
  const running: [Name, ServerProcess][] = [];
  for (const name of names) {
    const started = await startProcess({
      title: name,
      command: process.execPath,
      args: [main, ...commands[name]],
      env: settings,
      logFile: path.join(folder, `${name}.log`),
      stopSignal: 'SIGTERM',
    });
    running.push([name, started]);
  }
  const url = `http://127.0.0.1:${port}`;
  await untilReady(url);
  const peaks = Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
  const now = () => running.map(([name, { process }]) => [name, residentMib(process.pid as number)] as const);
  const sampling = setInterval(() => {
    for (const [name, mib] of now()) peaks[name] = Math.max(peaks[name], mib);
  }, SAMPLE_MS);
  return {
    url,
    temporalAddress: temporal.address,
    temporalMetricsUrl: temporal.metricsUrl,
    pids: Object.fromEntries(running.map(([name, { process }]) => [name, process.pid])) as Record<Name, number>,
    peaks: () => ({ ...peaks }),
    resetPeaks: () => Object.assign(peaks, Object.fromEntries(now())),
    async stop() {
      clearInterval(sampling);
      await Promise.all(running.map(([, started]) => started.stop()));
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

/** Returns the resident memory of a process in MiB; 0 if it is gone. */
function residentMib(pid: number): number {
  try {
    const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib ?? 0) / 1_024;
  } catch {
    return 0;
  }
}

/** Ticks of Linux's clock for the times of processes. */
const TICKS_PER_SECOND = 100;

/** Returns the processor time of a process so far, in seconds; 0 if it is gone. Linux only. */
export function processorSeconds(pid: number): number {
  try {
    // utime and stime, after the name, which may contain spaces (proc_pid_stat(5)).
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(/\) (?=[A-Z] )/);
    const [utime, stime] = fields.split(' ').slice(11, 13).map(Number);
    return ((utime ?? 0) + (stime ?? 0)) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}
