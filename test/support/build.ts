import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeBundles } from '../../src/runtime/workflow-bundle.ts';
import { BUILD_VARIABLE } from './setup/variables.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = 'dist/cli/main.js';
/** The compiler's exit code when it found errors and has written everything. */
const WITH_TYPE_ERRORS = 2;

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
async function compileInto(folder: string): Promise<string> {
  await compile(path.join(folder, 'dist'));
  return complete(folder);
}

/** Compiles the sources into a folder, and bundles the workflows there. */
export async function compile(dist: string): Promise<void> {
  const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const args = ['-p', path.join(ROOT, 'tsconfig.build.json'), '--outDir', dist, '--declaration', 'false'];
  try {
    await promisify(execFile)(process.execPath, [compiler, ...args], { cwd: ROOT });
  } catch (error) {
    const { code, stdout } = error as { code?: number; stdout?: string };
    // Type errors are left to the type check.
    if (code !== WITH_TYPE_ERRORS) throw new Error(`the build failed: ${stdout}`);
  }
  await writeBundles(path.join(dist, 'workflows'));
}

/** Adds what the built package needs beside its code; returns the entry of the command line. */
export function complete(folder: string): string {
  for (const name of ['node_modules', 'data']) symlinkSync(path.join(ROOT, name), path.join(folder, name));
  copyFileSync(path.join(ROOT, 'package.json'), path.join(folder, 'package.json'));
  return path.join(folder, MAIN);
}
