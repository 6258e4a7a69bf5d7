/** Writes THIRD_PARTY_LICENSES.md from the lock file: `npx tsx scripts/write-licences.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';

const LOCK = new URL('../package-lock.json', import.meta.url);
export const PAGE = new URL('../THIRD_PARTY_LICENSES.md', import.meta.url);

/** Licenses that let anyone use and redistribute dependents; Creative Commons licenses are for data. */
export const PERMITTED = [
  ...['MIT', 'Apache-2.0', 'Apache-2.0 AND MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause'],
  ...['(AFL-2.1 OR BSD-3-Clause)', 'BlueOak-1.0.0', 'Unlicense', 'CC-BY-4.0'],
];

/** Licenses that packages state in a LICENSE file but not in package.json. */
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

/** Returns everything that an installation of the package includes, with platform-specific packages. */
export function productionDependencies(lockText = readFileSync(LOCK, 'utf8')): Dependency[] {
  const { packages } = JSON.parse(lockText) as { packages: Record<string, Locked> };
  const found = new Map<string, Dependency>();
  for (const [path, { version = '', license, dev }] of Object.entries(packages)) {
    if (path === '' || dev) continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const licence = license ?? SAID_IN_A_FILE[name] ?? 'unknown';
    found.set(`${name} ${version}`, { name, version, licence });
  }
  return [...found.values()].sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
}

/** Generates the page. */
export function licencesPage(): string {
  const rows = productionDependencies().map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`);
  return `# Licenses of the dependencies of reembed

Everything that \`npm install reembed\` can install, from the lock file of the repository; packages for one platform are
installed only on that platform. The word vectors that ship with the package are in [NOTICE](NOTICE).

| package | version | license |
|---|---|---|
${rows.join('\n')}
`;
}

if (process.argv[1]?.endsWith('write-licences.ts')) {
  writeFileSync(PAGE, licencesPage());
}
