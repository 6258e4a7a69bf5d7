import { readdirSync, readFileSync } from 'node:fs';

/** Stops a process and its children (SIGSTOP); returns a function that lets them continue. */
export function freeze(pid: number): () => void {
  // The parent first, so that it starts no more children: these are the backends of Postgres.
  signalTo(pid, 'SIGSTOP');
  const pids = [...childrenOf(pid), pid];
  for (const each of pids) signalTo(each, 'SIGSTOP');
  return () => {
    for (const each of pids) signalTo(each, 'SIGCONT');
  };
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);
}

function parentOf(pid: string): number | undefined {
  try {
    // The program's name, in brackets, may contain any character.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined; // it has ended
  }
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
