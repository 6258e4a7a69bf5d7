import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';

/** What tells one process from every other, also after its number has been given to another one. */
export interface ProcessIdentity {
  pid: number;
  /** When it began, in whatever unit the system has; compared, never computed with. */
  startTime: string;
  /** Where the number `pid` means this process: the booted machine and, on Linux, the container. */
  place: string;
}

/**
 * When process `pid` began, or null when there is none. One that has ended but was not yet waited for by its parent
 * (a zombie) counts as none: it holds nothing any more.
 */
export async function processStartTime(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
    if (stat === null) return null;
    // The second field is the command in parentheses and may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  }
  const found = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => null);
  const startTime = found?.stdout.trim();
  return startTime ? startTime : null;
}

/** The identity of a running process of this machine, or null when there is none with that number. */
export async function identify(pid: number): Promise<ProcessIdentity | null> {
  const startTime = await processStartTime(pid);
  return startTime === null ? null : { pid, startTime, place: await thisPlace() };
}

/** Whether the very process still runs; only to be asked about a process of this place. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await processStartTime(identity.pid)) === identity.startTime;
}

/** Where process numbers mean what they mean to us. */
export async function thisPlace(): Promise<string> {
  if (process.platform !== 'linux') return hostname();
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => hostname());
  const pidNamespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return `${boot.trim()} ${pidNamespace}`;
}
