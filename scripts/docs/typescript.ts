import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { DOCS } from './tools.ts';

const OPTIONS = fileURLToPath(new URL('typedoc.json', import.meta.url));

/**
 * Writes a page for each entry point of the package into a folder, with TypeDoc. @throws with TypeDoc's error output
 */
export async function writeTypeScriptPages(folder: string): Promise<void> {
  const main = pathToFileURL(createRequire(new URL('package.json', DOCS)).resolve('typedoc'));
  const typedoc = fileURLToPath(new URL('../bin/typedoc', main));
  await promisify(execFile)(process.execPath, [typedoc, '--options', OPTIONS, '--out', folder]).catch((error) => {
    throw new Error(`TypeDoc failed: ${error.stdout}${error.stderr}`);
  });
}
