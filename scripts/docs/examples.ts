import { readdirSync, readFileSync } from 'node:fs';
import { blocks, fence } from './markdown.ts';

const EXAMPLES = new URL('../../examples/', import.meta.url);

/** Creates the page of the examples: each README, and the complete programs. */
export function examplesPage(): string {
  return blocks(
    '# Examples',
    'Complete programs, each run by the tests.',
    ...readdirSync(EXAMPLES).map((folder) => {
      const read = (file: string) => readFileSync(new URL(`${folder}/${file}`, EXAMPLES), 'utf8');
      const programs = readdirSync(new URL(`${folder}/`, EXAMPLES)).filter((file) => file !== 'README.md');
      return blocks(
        `## ${folder}`,
        introduction(read('README.md')),
        ...programs.map((file) => blocks(`\`${file}\``, fence('ts', read(file))).trimEnd()),
      ).trimEnd();
    }),
  );
}

/** Returns a README without its title, with links relative to docs/reference. */
function introduction(readme: string): string {
  return readme
    .replace(/^# .*\n+/, '')
    .replaceAll('](../../docs/', '](../')
    .trimEnd();
}
