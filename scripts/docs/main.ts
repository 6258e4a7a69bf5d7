/**
 * Writes the pages of docs/reference, which are generated from the code and never edited. Used by `npm run docs` and
 * `build:docs`.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cliPage } from './cli.ts';
import { examplesPage } from './examples.ts';
import { httpPages } from './http.ts';
import { DOCS, installTools } from './tools.ts';
import { writeTypeScriptPages } from './typescript.ts';

const FOLDER = fileURLToPath(new URL('reference', DOCS));

installTools();
rmSync(FOLDER, { recursive: true, force: true });
write('cli.md', cliPage());
write('examples.md', examplesPage());
for (const { name, text } of httpPages()) write(`http/${name}.md`, text);
await writeTypeScriptPages(path.join(FOLDER, 'typescript'));

function write(name: string, text: string): void {
  const file = path.join(FOLDER, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}
