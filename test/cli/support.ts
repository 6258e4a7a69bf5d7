import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type PassThrough, Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import type { Io } from '../../src/cli/output.ts';
import { createProgram, runCli } from '../../src/cli/program.ts';

export interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** No configuration of the machine may have an effect. */
const NOWHERE = { HOME: '/nonexistent', XDG_CONFIG_HOME: '/nonexistent' };

/** Runs a command line within the process of the test. */
export async function cli(
  args: string[],
  options: {
    env?: NodeJS.ProcessEnv;
    stdin?: string;
    interruptAfterMs?: number;
    /** Ctrl-C after this has been printed, or drawn on the terminal. */
    interruptOn?: RegExp;
    /** The terminal that people watch; default: none. */
    terminal?: PassThrough;
    colours?: boolean;
  } = {},
): Promise<Outcome> {
  const outcome = { code: -1, out: '', err: '' };
  let interrupt = () => {};
  let printed = '';
  const look = (text: string) => {
    printed += text;
    if (options.interruptOn?.test(printed)) interrupt();
  };
  options.terminal?.on('data', (text) => look(String(text)));
  const io: Io = {
    env: { ...NOWHERE, ...options.env },
    stdin: Readable.from([Buffer.from(options.stdin ?? '')]),
    out: (text) => {
      outcome.out += text;
      look(text);
    },
    err: (text) => {
      outcome.err += text;
    },
    terminal: (options.terminal as unknown as NodeJS.WriteStream | undefined) ?? null,
    colours: { out: options.colours === true, err: options.colours === true },
    onInterrupt: (interrupted) => {
      interrupt = interrupted;
      const { interruptAfterMs } = options;
      const timer = interruptAfterMs === undefined ? undefined : setTimeout(interrupted, interruptAfterMs);
      return () => clearTimeout(timer);
    },
  };
  outcome.code = await runCli(args, io);
  return outcome;
}

/** The names of all commands, such as `tasks list`. */
export function commands(): string[] {
  const nothing = () => {};
  const io = { env: {}, stdin: process.stdin, out: nothing, err: nothing, terminal: null, onInterrupt: () => nothing };
  return below(createProgram(io));
}

function below(command: Command, above: string[] = []): string[] {
  const shown = command.createHelp().visibleCommands(command);
  const own = shown.filter((child) => child.name() !== 'help');
  return own.length === 0 ? [above.join(' ')] : own.flatMap((child) => below(child, [...above, child.name()]));
}

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** A command line in its own process. */
export class CliProcess {
  readonly child: ChildProcess;
  out = '';
  err = '';
  readonly #exit: Promise<number | null>;

  /** @param program the program of a build; default: that of the sources */
  constructor(args: string[], env: NodeJS.ProcessEnv = {}, program: string[] = ['--import', TSX, MAIN]) {
    this.child = spawn(process.execPath, [...program, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk) => {
      this.out += chunk;
    });
    this.child.stderr?.on('data', (chunk) => {
      this.err += chunk;
    });
    this.#exit = once(this.child, 'close').then(([code]) => code);
  }

  /** Waits until a pattern is printed, on either stream. */
  async prints(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const found = this.out.match(pattern) ?? this.err.match(pattern);
      if (found) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`it ended with ${this.child.exitCode ?? this.child.signalCode}: ${this.out}\n${this.err}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** Sends a signal, if one is given, and waits for the exit code. */
  async ends(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal) this.child.kill(signal);
    return await this.#exit;
  }
}
