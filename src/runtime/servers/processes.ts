import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ReembedError } from '../../contract/errors.ts';
import { identify, isRunning, thisPlace } from './identity.ts';

export interface ServerCommand {
  /** How people know the server, for messages. */
  title: string;
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  /** Gets everything that the server prints. */
  logFile: string;
  /** Asks the server to end in an orderly way. */
  stopSignal: 'SIGTERM' | 'SIGINT';
  /** Ends the server when this process is gone, `stopSignal` by default: one that needs no orderly end goes at once. */
  orphanSignal?: 'SIGKILL' | 'SIGQUIT';
  /** Run as this user instead of ours. */
  user?: { uid: number; gid: number };
  /** Where it is noted which process it is, so that the next start on the same data can end one that was left over. */
  pidFile?: string;
}

export interface ServerProcess {
  process: ChildProcess;
  pid: number;
  /** Resolves when the process ends without being asked to. */
  died: Promise<ReembedError>;
  hasEnded(): boolean;
  /** Asks the server to end, waits, and kills it when it takes longer than `graceMs`. */
  stop(graceMs?: number): Promise<void>;
  /** Ends it as a crash would, and waits until it is gone. */
  kill(): Promise<void>;
  /** The last lines that it printed, for messages. */
  logTail(lines?: number): Promise<string>;
}

/**
 * Starts a server as a process of its own session: Ctrl-C in our terminal reaches us alone, so that we can drain before
 * we stop it. It does not outlive us either, even if we are killed (see {@link endWithUs}).
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
  // Before anything is waited for, so that there is no moment in which it could be left behind.
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
      return new ReembedError('ServerUnavailable', `${server.title} ended by itself (${how}): ${await logTail()}`);
    }),
  };
}

/**
 * Has a child process ended when this process ends without stopping it. A shell waits at a pipe that only we hold: a line
 * means that all is well, the end of the pipe that we are gone, by whatever way. Where there is no shell, the pid file
 * remains.
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
 * Ends the server that an earlier process of ours left behind on the same data, if it still runs.
 * @throws ReembedError `DataDirInUse` when the process that started it still lives.
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

/** One that a crash of the machine cut short names no process: none has survived that. */
function readNote(text: string): PidNote {
  try {
    return pidNoteSchema.parse(JSON.parse(text));
  } catch {
    return { server: null, parent: null };
  }
}

/** Signals a process that may have ended a moment ago. */
function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
