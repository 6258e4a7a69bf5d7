import { ReembedError } from '../contract/errors.ts';
import type { IndexConfig } from '../contract/indexes.ts';
import type { Metadata } from '../contract/objects.ts';
import { formatOf, type Splitter, tokenizerNameOf } from '../contract/splitter.ts';
import { windowOf } from '../models/windows.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizers/tokenizer.ts';
import { type Range, rangesOf, trimmed, withoutContained } from './split.ts';
import { rangesByTokens, type TokenCounter } from './split-tokens.ts';

const DEFAULT_CHARS = 2_000;
/** Tokens that a prefix and a tokenizer may add, far more than any does. */
const MAX_ADDED = 2_000;

/** How the texts of an index are cut, in a form that can be sent to a thread. */
export interface Cutting extends Pick<Splitter, 'chunkSize' | 'chunkOverlap' | 'chunkTokens' | 'overlapTokens'> {
  format?: Splitter['format'];
  /** What counts tokens, and the folder with its file. */
  tokenizer?: { name: string; dir: string | null };
  /** Tokens of one text that the model reads. */
  window?: number | null;
  /** What is added before each text. */
  prefix?: string;
}

/** Returns how the texts of an object are cut. `tokenizerDir` is the setting REEMBED_TOKENIZER_DIR. */
export function cuttingOf(
  { splitter, model }: Pick<IndexConfig, 'splitter' | 'model'>,
  tokenizerDir: string | null = null,
  metadata: Metadata = {},
): Cutting {
  const { chunkSize, chunkOverlap, chunkTokens, overlapTokens } = splitter;
  const format = formatOf(splitter, metadata);
  const known = windowOf(model);
  const window = known === undefined || !Number.isFinite(known) ? null : known;
  const sizes = { chunkSize, chunkOverlap, chunkTokens, overlapTokens, format };
  const name = tokenizerNameOf(splitter, model);
  // OpenAI refuses what is too long, so that nothing is cut in silence.
  const isRefused = splitter.tokenizer === undefined && name === 'cl100k_base';
  if (chunkTokens === undefined && (window === null || isRefused)) return sizes;
  return {
    ...sizes,
    tokenizer: { name, dir: tokenizerDir },
    window,
    prefix: documentPrefixOf(model),
  };
}

/** Creates a function that returns `cuttingOf` for the objects of an index: there is one for each format. */
export function cuttingsOf(
  config: Pick<IndexConfig, 'splitter' | 'model'>,
  tokenizerDir: string | null = null,
): (metadata: Metadata | undefined) => Cutting {
  const known = new Map<Splitter['format'], Cutting>();
  return (metadata = {}) => {
    const format = formatOf(config.splitter, metadata);
    const cutting = known.get(format) ?? cuttingOf(config, tokenizerDir, metadata);
    known.set(format, cutting);
    return cutting;
  };
}

/**
 * Returns what is wrong with how an index would cut its texts: a field of its splitter and a message. Null if nothing
 * is.
 */
export async function findCuttingProblem(
  config: Pick<IndexConfig, 'splitter' | 'model'>,
  tokenizerDir: string | null,
): Promise<{ path: 'chunkTokens' | 'tokenizer'; message: string } | null> {
  const { chunkTokens, tokenizer } = config.splitter;
  if (chunkTokens === undefined && tokenizer === undefined) return null;
  const window = windowOf(config.model);
  if (chunkTokens !== undefined && window !== undefined && chunkTokens > window) {
    return { path: 'chunkTokens', message: `must be at most ${window}, the window of ${config.model.name}` };
  }
  try {
    const { tokenizer: place, prefix = '' } = cuttingOf(config, tokenizerDir);
    const { countWhole } = await loadTokenizer(place ?? { name: tokenizer ?? 'estimate', dir: tokenizerDir });
    const added = countWhole(prefix);
    if (chunkTokens === undefined || added <= chunkTokens / 2) return null;
    const message = `must be at least ${2 * added}: documentPrefix and the model add ${added} tokens to each text`;
    return { path: 'chunkTokens', message };
  } catch (error) {
    if (!(error instanceof ReembedError) || error.type !== 'TokenizerMissing') throw error;
    return { path: 'tokenizer', message: error.message };
  }
}

function documentPrefixOf(model: IndexConfig['model']): string {
  return 'documentPrefix' in model ? (model.documentPrefix ?? '') : '';
}

/** Returns what counts the tokens of an index's texts, each with its prefix. Error: `TokenizerMissing`. */
export async function counterOf({
  tokenizer,
  prefix = '',
}: Cutting): Promise<TokenCounter & Pick<Tokenizer, 'isExact'>> {
  const { isExact, count, countWhole } = await loadTokenizer(tokenizer ?? { name: 'estimate', dir: null });
  return { isExact, count, countWhole: prefix === '' ? countWhole : (text) => countWhole(prefix + text) };
}

/**
 * Returns the one range of a text that is short enough to stay whole whatever its tokens are; undefined for others, and
 * for a blank one.
 */
export function uncut(text: string, { chunkSize = DEFAULT_CHARS, chunkTokens, window }: Cutting): Range | undefined {
  if (chunkTokens !== undefined || text.length > chunkSize) return undefined;
  const range = trimmed(text, { start: 0, end: text.length });
  return range.end > range.start && (!window || mustFit(range, window)) ? range : undefined;
}

/** Each character has at most as many tokens as bytes. */
const mustFit = ({ start, end }: Range, window: number) => (end - start) * 3 + MAX_ADDED <= window;

/**
 * Cuts a text into ranges as the splitter of its index says, and what is longer than the window of the model once more.
 * Errors: `TooLarge` for more than `maxParts`, or for a part that no cut makes short enough; `TokenizerMissing`.
 */
export async function cutText(text: string, cutting: Cutting, maxParts: number): Promise<Range[]> {
  const whole = uncut(text, cutting);
  if (whole) return [whole];
  const { chunkTokens, overlapTokens = 0, format = 'text' } = cutting;
  if (chunkTokens === undefined) {
    const { chunkSize = DEFAULT_CHARS, chunkOverlap = 0 } = cutting;
    const ranges = await rangesOf(text, { chunkSize, chunkOverlap }, maxParts);
    return withinWindow(text, ranges, cutting, maxParts);
  }
  const counter = await counterOf(cutting);
  // Nothing that was started without the API may be longer than the model reads either.
  const most = Math.min(chunkTokens, cutting.window ?? chunkTokens);
  const sizes = { chunkTokens: most, overlapTokens: Math.min(overlapTokens, Math.floor(most / 2)), format };
  const ranges = await rangesByTokens(text, sizes, counter, maxParts);
  const kept = withoutContained(ranges.map((range) => trimmed(text, range)).filter(({ start, end }) => end > start));
  for (const range of kept) requireFit(text, range, most, counter);
  return kept;
}

/** Cuts the ranges with more tokens than the model reads. */
async function withinWindow(text: string, ranges: Range[], cutting: Cutting, maxParts: number): Promise<Range[]> {
  const { window } = cutting;
  if (!window || ranges.every((range) => mustFit(range, window))) return ranges;
  const counter = await counterOf(cutting);
  const cut: Range[] = [];
  for (const range of ranges) {
    const part = text.slice(range.start, range.end);
    if (counter.countWhole(part) <= window) {
      cut.push(range);
      continue;
    }
    const sizes = { chunkTokens: window, overlapTokens: 0, format: 'text' as const };
    for (const piece of await rangesByTokens(part, sizes, counter, maxParts)) {
      const within = trimmed(text, { start: range.start + piece.start, end: range.start + piece.end });
      if (within.end <= within.start) continue;
      requireFit(text, within, window, counter);
      cut.push(within);
    }
    if (cut.length > maxParts) {
      throw new ReembedError('TooLarge', `the text has more than ${maxParts} parts that fit into the model's window`);
    }
  }
  return withoutContained(cut);
}

function requireFit(text: string, { start, end }: Range, tokens: number, counter: TokenCounter): void {
  const found = counter.countWhole(text.slice(start, end));
  if (found <= tokens) return;
  const where = `the character at ${start}`;
  throw new ReembedError(
    'TooLarge',
    `${where} has ${found} tokens with what is added to each text, more than ${tokens}`,
  );
}
