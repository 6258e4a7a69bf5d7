import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BUILD_VARIABLE } from './setup/variables.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = 'dist/cli/main.js';

/** The entry of the command line in the build of the run, whose processes start faster than those of the sources. */
export function builtMain(): string {
  const folder = process.env[BUILD_VARIABLE];
  if (folder === undefined) throw new Error('this project of the tests has no build: see test/support/setup');
  return path.join(folder, MAIN);
}

/** Copies the build of the run into a folder, or builds there, and returns the entry of the command line in it. */
export async function buildInto(folder: string): Promise<string> {
  const built = process.env[BUILD_VARIABLE];
  if (built === undefined) return compileInto(folder);
  cpSync(path.join(built, 'dist'), path.join(folder, 'dist'), { recursive: true });
  return complete(folder);
}

/**
 * Builds the sources into a separate folder and returns the entry of the command line there, so that processes that are
 * killed and started all the time need not each compile TypeScript.
 */
export async function compileInto(folder: string): Promise<string> {
  const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const args = ['-p', path.join(ROOT, 'tsconfig.build.json'), '--outDir', path.join(folder, 'dist')];
  try {
    await promisify(execFile)(process.execPath, [compiler, ...args, '--declaration', 'false'], { cwd: ROOT });
  } catch (error) {
    // Type errors are left to the type check, as long as there is something to run.
    if (!existsSync(path.join(folder, MAIN))) {
      throw new Error(`the build failed: ${(error as { stdout?: string }).stdout}`);
    }
  }
  return complete(folder);
}

/** What the built package needs beside its code. */
function complete(folder: string): string {
  for (const name of ['node_modules', 'data']) symlinkSync(path.join(ROOT, name), path.join(folder, name));
  copyFileSync(path.join(ROOT, 'package.json'), path.join(folder, 'package.json'));
  return path.join(folder, MAIN);
}
