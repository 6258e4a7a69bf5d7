import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The package of the documentation site. Its tools are as large as a third of a checkout, which does not need them. */
export const DOCS = new URL('../../docs/', import.meta.url);

/** Installs the tools of the site if they are missing or older than their lock file. @throws with npm's error output */
export function installTools(): void {
  // npm writes the first file at the end of an installation.
  if (modified('node_modules/.package-lock.json') >= modified('package-lock.json')) return;
  process.stderr.write('installing the tools of the documentation site into docs/node_modules\n');
  execFileSync('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], {
    cwd: fileURLToPath(DOCS),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

const modified = (file: string) => statSync(new URL(file, DOCS), { throwIfNoEntry: false })?.mtimeMs ?? 0;
