import { readdirSync, readFileSync } from 'node:fs';
import { blocks, fence } from './markdown.ts';

const EXAMPLES = new URL('../../examples/', import.meta.url);

/** The page of the examples: their whole programs. */
export function examplesPage(): string {
  return blocks(
    '# Examples',
    'Whole programs, each of which is run by the tests.',
    ...readdirSync(EXAMPLES).map((folder) =>
      blocks(
        `## ${folder}`,
        ...readdirSync(new URL(`${folder}/`, EXAMPLES)).map((file) =>
          blocks(`\`${file}\``, fence('ts', readFileSync(new URL(`${folder}/${file}`, EXAMPLES), 'utf8'))).trimEnd(),
        ),
      ).trimEnd(),
    ),
  );
}
