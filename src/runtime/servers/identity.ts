import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';

/** Identifies a process uniquely, even after its pid has been reused. */
export interface ProcessIdentity {
  pid: number;
  /** Start time in the system's unit; only compared. */
  startTime: string;
  /** Where `pid` is valid: the boot of the machine and, on Linux, the container. */
  place: string;
}

/**
 * Returns the start time of process `pid`, or null if it does not exist. A zombie (ended, but not yet reaped by its
 * parent) counts as nonexistent: it holds no resources.
 */
export async function processStartTime(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
    if (stat === null) return null;
    // The second field is the command in parentheses, which may itself contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  }
  const found = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => null);
  const startTime = found?.stdout.trim();
  return startTime ? startTime : null;
}

/** Returns the identity of a running process on this machine, or null if there is none with this pid. */
export async function identify(pid: number): Promise<ProcessIdentity | null> {
  const startTime = await processStartTime(pid);
  return startTime === null ? null : { pid, startTime, place: await thisPlace() };
}

/** Returns whether this exact process still runs. Only for processes of this place. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await processStartTime(identity.pid)) === identity.startTime;
}

/** Returns the place in which our pids are valid. */
export async function thisPlace(): Promise<string> {
  if (process.platform !== 'linux') return hostname();
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => hostname());
  const pidNamespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return `${boot.trim()} ${pidNamespace}`;
}
