import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Run {
  child: ChildProcess;
  /** Its output so far. */
  output: { out: string; error: string };
  /** Its exit code, once it has ended. */
  ended: Promise<number | null>;
}

/** Runs a TypeScript file as a user would, in its own process. */
export function startScript(file: string, args: string[], env: Record<string, string>): Run {
  return startProgram(process.execPath, ['--import', 'tsx', file, ...args], env);
}

function startProgram(program: string, args: string[], env: Record<string, string>): Run {
  const child = spawn(program, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { out: '', error: '' };
  child.stdout.on('data', (chunk) => {
    output.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.error += chunk;
  });
  return { child, output, ended: once(child, 'close').then(([code]) => code) };
}

/** Runs it to its end. */
export async function runScript(file: string, args: string[], env: Record<string, string>) {
  const { output, ended } = startScript(file, args, env);
  return { code: await ended, ...output };
}

/** Runs another program to its end. */
export async function runProgram(program: string, args: string[], env: Record<string, string>) {
  const { output, ended } = startProgram(program, args, env);
  return { code: await ended, ...output };
}
