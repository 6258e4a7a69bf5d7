import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Builds the sources into a folder of their own and returns the command line's entry there: processes that are killed
 * and started all the time should not each translate TypeScript.
 */
export async function buildInto(folder: string): Promise<string> {
  const main = path.join(folder, 'dist/cli/main.js');
  const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const args = ['-p', path.join(ROOT, 'tsconfig.build.json'), '--outDir', path.join(folder, 'dist')];
  try {
    await promisify(execFile)(process.execPath, [compiler, ...args, '--declaration', 'false'], { cwd: ROOT });
  } catch (error) {
    // A type error somewhere is for the type check to tell, as long as there is something to run.
    if (!existsSync(main)) throw new Error(`the build failed: ${(error as { stdout?: string }).stdout}`);
  }
  for (const name of ['node_modules', 'data']) symlinkSync(path.join(ROOT, name), path.join(folder, name));
  copyFileSync(path.join(ROOT, 'package.json'), path.join(folder, 'package.json'));
  return main;
}
