import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const EVERY_MS = 250;

/** Peak memory of each process in MB, by name. Restarted processes count as one. */
export function watchMemory(
  pids: () => readonly (readonly [name: string, pid: number])[],
): () => Record<string, number> {
  const peaks: Record<string, number> = {};
  const look = async () => {
    for (const [name, pid] of pids()) {
      const mb = await residentMb(pid).catch(() => 0);
      peaks[name] = Math.max(peaks[name] ?? 0, mb);
    }
  };
  const timer = setInterval(() => void look(), EVERY_MS);
  return () => {
    clearInterval(timer);
    return peaks;
  };
}

/** On Linux the peak since its start, so that nothing between two reads is missed; elsewhere the current value. */
async function residentMb(pid: number): Promise<number> {
  if (process.platform === 'linux') {
    const [, kb = '0'] = /VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Math.round(Number(kb) / 1_024);
  }
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Math.round(Number(stdout.trim()) / 1_024);
}
