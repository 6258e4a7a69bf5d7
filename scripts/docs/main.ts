/** Writes the pages of docs/reference, which are made from the code and never edited: `npm run docs` and `build:docs` do. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cliPage } from './cli.ts';
import { examplesPage } from './examples.ts';
import { httpPages } from './http.ts';
import { writeTypeScriptPages } from './typescript.ts';

const FOLDER = fileURLToPath(new URL('../../docs/reference', import.meta.url));

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
