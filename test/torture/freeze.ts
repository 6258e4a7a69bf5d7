import { readdirSync, readFileSync } from 'node:fs';

/** Stops a process and its children where they are (SIGSTOP); returns what lets them go on. */
export function freeze(pid: number): () => void {
  // The parent first, so that it starts no more: the backends of Postgres are its children.
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
    // The name of the program, in brackets, may have anything in it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined; // it has ended meanwhile
  }
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
