import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { ReembedError } from '../contract/errors.ts';
import { estimateUpperTokens } from './estimate.ts';

/** Counts the tokens of texts as a model does. */
export interface Tokenizer {
  /** False for an estimate, which counts too many. */
  readonly isExact: boolean;
  /** Returns the tokens of a text, without those that are added to each text. */
  count(text: string): number;
  /** Returns the tokens of a whole text as the model reads it, with those that are added to each text. */
  countWhole(text: string): number;
}

export interface TokenizerPlace {
  /** Its name in the settings of the index. */
  name: string;
  /** The folder with the files of tokenizers; null if there is none. */
  dir: string | null;
}

/** Tokens that most models add to each text: its start and its end. */
const ADDED = 2;
const MAX_FILE_BYTES = 100 * 1024 * 1024;
/** Runs without white space are counted in pieces of this length, since the time of some tokenizers is quadratic in it. */
const MAX_RUN = 2_000;
const LONG_RUN = new RegExp(`[^\\s]{${MAX_RUN + 1}}`);

const loaded = new Map<string, Promise<Tokenizer>>();

/**
 * Returns a tokenizer, which each thread loads once. Error: `TokenizerMissing`, with what is missing and what to do.
 */
export function loadTokenizer({ name, dir }: TokenizerPlace): Promise<Tokenizer> {
  const key = JSON.stringify([name, dir]);
  const known = loaded.get(key);
  if (known) return known;
  const loading = load(name, dir);
  loaded.set(key, loading);
  // What is missing may be there at the next try.
  loading.catch(() => loaded.delete(key));
  return loading;
}

function load(name: string, dir: string | null): Promise<Tokenizer> {
  if (name === 'estimate') return Promise.resolve(ESTIMATE);
  return name === 'cl100k_base' ? loadCl100k() : loadFile(name, dir);
}

const ESTIMATE: Tokenizer = {
  isExact: false,
  count: estimateUpperTokens,
  countWhole: (text) => estimateUpperTokens(text) + ADDED,
};

/** The tokenizer of OpenAI's models, from an optional package: it has 27 MB. */
async function loadCl100k(): Promise<Tokenizer> {
  let countTokens: (text: string, options: { disallowedSpecial: Set<string> }) => number;
  try {
    ({ countTokens } = await import('gpt-tokenizer/encoding/cl100k_base'));
  } catch (cause) {
    const message =
      'the tokenizer cl100k_base needs the package gpt-tokenizer where the API and the workers run: npm install gpt-tokenizer, or choose the tokenizer "estimate"';
    throw new ReembedError('TokenizerMissing', message, { cause });
  }
  // In a text, names of special tokens are only text.
  const options = { disallowedSpecial: new Set<string>() };
  const count = inRuns((text) => countTokens(text, options));
  return { isExact: true, count, countWhole: count };
}

/** A tokenizer.json of Hugging Face: WordPiece, BPE or Unigram (SentencePiece). */
async function loadFile(name: string, dir: string | null): Promise<Tokenizer> {
  const missing = (what: string, cause?: unknown) =>
    new ReembedError('TokenizerMissing', `the tokenizer ${name} ${what}, or choose the tokenizer "estimate"`, {
      cause,
    });
  if (dir === null) {
    throw missing(
      'is the name of a file: set REEMBED_TOKENIZER_DIR of the API and the workers to a folder that has it',
    );
  }
  const found = [path.join(dir, `${name}.json`), path.join(dir, name, 'tokenizer.json')].find(existsSync);
  if (found === undefined) {
    throw missing(`is not in REEMBED_TOKENIZER_DIR: put the tokenizer.json of the model there as ${name}.json`);
  }
  try {
    const { size } = await stat(found);
    if (size > MAX_FILE_BYTES) throw new Error(`the file has ${size} bytes, more than ${MAX_FILE_BYTES}`);
    return fromJson(JSON.parse(await readFile(found, 'utf8')), await configBeside(found));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw missing(
      `cannot be read from ${path.basename(found)} (${why}): replace it by the model's tokenizer.json`,
      cause,
    );
  }
}

async function configBeside(file: string): Promise<object> {
  const beside = path.join(path.dirname(file), 'tokenizer_config.json');
  const isOwn = path.basename(file) === 'tokenizer.json' && existsSync(beside);
  return isOwn ? (JSON.parse(await readFile(beside, 'utf8')) as object) : {};
}

async function fromJson(json: object, config: object): Promise<Tokenizer> {
  const { Tokenizer } = await import('@huggingface/tokenizers');
  const tokenizer = new Tokenizer(json, config);
  const count = inRuns((text) => tokenizer.encode(text, { add_special_tokens: false }).ids.length);
  // Tries it, and counts what it adds to each text.
  const added = tokenizer.encode('a').ids.length - count('a');
  return { isExact: true, count, countWhole: (text) => count(text) + added };
}

/** Counts long runs without white space in pieces, which may give some tokens more than at once. */
function inRuns(count: (text: string) => number): (text: string) => number {
  return (text) => {
    if (text.length <= MAX_RUN || !LONG_RUN.test(text)) return count(text);
    let sum = 0;
    for (let at = 0; at < text.length; ) {
      let end = Math.min(at + MAX_RUN, text.length);
      const space = text.lastIndexOf(' ', end - 1);
      if (end < text.length && space > at) end = space;
      if (/[\udc00-\udfff]/.test(text[end] ?? '')) end -= 1;
      sum += count(text.slice(at, end));
      at = end;
    }
    return sum;
  };
}
