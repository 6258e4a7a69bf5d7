import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ReembedError } from '../../contract/errors.ts';
import { identify, isRunning, thisPlace } from './identity.ts';

export interface ServerCommand {
  /** The server's name in messages. */
  title: string;
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  /** File for everything that the server prints. */
  logFile: string;
  /** Signal for an orderly stop. */
  stopSignal: 'SIGTERM' | 'SIGINT';
  /** Signal if this process has died; default: `stopSignal`. `SIGKILL` if the server needs no orderly stop. */
  orphanSignal?: 'SIGKILL' | 'SIGQUIT';
  /** User to run as; default: the current user. */
  user?: { uid: number; gid: number };
  /** File that identifies the process, so that the next start on the same data can end an orphaned one. */
  pidFile?: string;
}

export interface ServerProcess {
  process: ChildProcess;
  pid: number;
  /** Resolves if the process ends unexpectedly. */
  died: Promise<ReembedError>;
  hasEnded(): boolean;
  /** Asks the server to stop, waits, and kills it after `graceMs`. */
  stop(graceMs?: number): Promise<void>;
  /** Kills it like a crash, and waits until it has ended. */
  kill(): Promise<void>;
  /** Returns the last lines that it printed, for messages. */
  logTail(lines?: number): Promise<string>;
}

/**
 * Starts a server in a separate session, so that Ctrl-C in our terminal reaches only us and we can drain before we stop
 * it. It does not outlive us, even if we are killed (see {@link endWithUs}).
 */
export async function startProcess(server: ServerCommand): Promise<ServerProcess> {
  const log = openSync(server.logFile, 'a');
  const child = spawn(server.command, server.args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: server.env,
    ...(server.user ?? {}),
  });
  closeSync(log);
  // Before the first await, so that the process can never be orphaned.
  const release = child.pid === undefined ? () => {} : endWithUs(child.pid, server.orphanSignal ?? server.stopSignal);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) =>
      reject(
        new ReembedError('ServerUnavailable', `${server.title} could not be started: ${error.message}`, {
          cause: error,
        }),
      ),
    );
  });
  const pid = child.pid as number;
  let asked = false;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      release();
      if (server.pidFile) rmSync(server.pidFile, { force: true });
      resolve();
    });
  });
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  if (server.pidFile && !hasEnded()) await notePid(server.pidFile, pid);

  const endBy = async (signal: NodeJS.Signals, graceMs: number) => {
    asked = true;
    if (!hasEnded()) child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await ended;
    clearTimeout(timer);
  };
  const logTail = async (lines = 5) => {
    const text = await readFile(server.logFile, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').slice(-lines).join('\n');
  };
  return {
    process: child,
    pid,
    hasEnded,
    stop: (graceMs = 10_000) => endBy(server.stopSignal, graceMs),
    kill: () => endBy('SIGKILL', 0),
    logTail,
    died: ended.then(async () => {
      if (asked) return new Promise<never>(() => {});
      const how = child.signalCode ?? `code ${child.exitCode}`;
      return new ReembedError('ServerUnavailable', `${server.title} ended unexpectedly (${how}): ${await logTail()}`);
    }),
  };
}

/**
 * Ends a child process if this process ends without stopping it. A shell waits on a pipe that only we hold: a line
 * means an orderly stop, the end of the pipe that we have died. Without a shell, only the pid file protects.
 */
export function endWithUs(pid: number, signal: NodeJS.Signals): () => void {
  const script = 'read -r _ || { kill -s "$2" "$1" && sleep 2 && kill -s KILL "$1"; } 2>/dev/null';
  const watcher = spawn('/bin/sh', ['-c', script, 'sh', String(pid), signal.replace('SIG', '')], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  watcher.on('error', () => {});
  watcher.stdin.on('error', () => {});
  watcher.unref();
  return () => watcher.stdin.end('\n');
}

const identitySchema = z.object({ pid: z.int().positive(), startTime: z.string(), place: z.string() }).nullable();
const pidNoteSchema = z.object({ server: identitySchema, parent: identitySchema });
type PidNote = z.output<typeof pidNoteSchema>;

async function notePid(file: string, pid: number): Promise<void> {
  const note: PidNote = { server: await identify(pid), parent: await identify(process.pid) };
  writeFileSync(file, JSON.stringify(note));
}

/**
 * Ends the server that an earlier process left running on the same data.
 * @throws ReembedError `DataDirInUse` if the process that started it is still alive.
 */
export async function endLeftOver(title: string, pidFile: string): Promise<void> {
  const text = await readFile(pidFile, 'utf8').catch(() => null);
  if (!text) return;
  const { server, parent } = readNote(text);
  const here = await thisPlace();
  if (server && server.place === here && (await isRunning(server))) {
    if (parent && (await isRunning(parent))) {
      throw new ReembedError(
        'DataDirInUse',
        `a ${title} (pid ${server.pid}, started by process ${parent.pid}) already runs on the same data`,
      );
    }
    signalQuietly(server.pid, 'SIGTERM');
    for (let tries = 0; tries < 100 && (await isRunning(server)); tries += 1) {
      if (tries === 60) signalQuietly(server.pid, 'SIGKILL');
      await sleep(50);
    }
  }
  rmSync(pidFile, { force: true });
}

/** Reads a pid file. A partial one results from a crash of the machine, which no process has survived. */
function readNote(text: string): PidNote {
  try {
    return pidNoteSchema.parse(JSON.parse(text));
  } catch {
    return { server: null, parent: null };
  }
}

/** Signals a process that may have just ended. */
function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
