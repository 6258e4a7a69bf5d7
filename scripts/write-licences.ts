/** Writes THIRD_PARTY_LICENSES.md from the lock file: `npx tsx scripts/write-licences.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';

const LOCK = new URL('../package-lock.json', import.meta.url);
export const PAGE = new URL('../THIRD_PARTY_LICENSES.md', import.meta.url);

/** Licences under which anyone may use and pass on what depends on it; those of Creative Commons are of data. */
export const PERMITTED = [
  ...['MIT', 'Apache-2.0', 'Apache-2.0 AND MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause'],
  ...['(AFL-2.1 OR BSD-3-Clause)', 'BlueOak-1.0.0', 'Unlicense', 'CC-BY-4.0'],
];

/** What packages say in their file LICENSE and not in package.json. */
const SAID_IN_A_FILE: Record<string, string> = { unionfs: 'Unlicense' };

export interface Dependency {
  name: string;
  version: string;
  licence: string;
}

interface Locked {
  version?: string;
  license?: string;
  dev?: boolean;
  optional?: boolean;
}

/** All that an installation of the package brings, with what a platform needs of its own. */
export function productionDependencies(lockText = readFileSync(LOCK, 'utf8')): Dependency[] {
  const { packages } = JSON.parse(lockText) as { packages: Record<string, Locked> };
  const found = new Map<string, Dependency>();
  for (const [path, { version = '', license, dev }] of Object.entries(packages)) {
    if (path === '' || dev) continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const licence = license ?? SAID_IN_A_FILE[name] ?? 'none told';
    found.set(`${name} ${version}`, { name, version, licence });
  }
  return [...found.values()].sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
}

/** The page, made anew. */
export function licencesPage(): string {
  const rows = productionDependencies().map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`);
  return `# Licences of what reembed depends on

Everything that \`npm install reembed\` can bring, from the lock file of the repository; packages for one platform are
installed on that platform alone. The word vectors that ship with the package are in [NOTICE](NOTICE).

| package | version | licence |
|---|---|---|
${rows.join('\n')}
`;
}

if (process.argv[1]?.endsWith('write-licences.ts')) {
  writeFileSync(PAGE, licencesPage());
}
