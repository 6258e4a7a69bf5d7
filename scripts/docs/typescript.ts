import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const fileHere = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Writes a page for each entry point of the package into a folder, with TypeDoc. @throws with what it says is wrong */
export async function writeTypeScriptPages(folder: string): Promise<void> {
  const typedoc = fileURLToPath(
    new URL('../bin/typedoc', pathToFileURL(createRequire(import.meta.url).resolve('typedoc'))),
  );
  const args = ['--import', fileHere('typescript-6.mjs'), typedoc, '--options', fileHere('typedoc.json')];
  await promisify(execFile)(process.execPath, [...args, '--out', folder]).catch((error) => {
    throw new Error(`TypeDoc failed: ${error.stdout}${error.stderr}`);
  });
}
