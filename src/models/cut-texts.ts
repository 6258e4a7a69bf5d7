import { ReembedError, TRUNCATED } from '../contract/errors.ts';
import { eachInTurn } from '../cpu/pace.ts';
import { estimateUpperTokens } from '../tokenizers/estimate.ts';

/** What a provider tells about one call. */
export interface Reading {
  texts: readonly string[];
  /** As the provider counts them; undefined if it does not say. */
  tokens: number | undefined;
  /** Tokens of one text that the model reads; undefined if it is unknown. */
  window: number | undefined;
  /** No text is longer than the window by the tokenizer of the model: one that fills it is not suspicious. */
  areCounted: boolean;
  /** Nothing has split the texts for the window before. */
  areWhole: boolean;
}

/** What must be known of a text to tell whether a model has read all of it. */
export interface TextSize {
  chars: number;
  /** Its tokens are not fewer, with any usual tokenizer. */
  minTokens: number;
}

/** No model reads less. A smaller count is not one of tokens: some servers count texts, or say what was never counted. */
const MIN_WINDOW = 64;
/** Some servers estimate one token per this many characters, which is less than one per word for short words. */
const CHARS_PER_TOKEN = 4;

/**
 * Throws `ModelRejectedInput` with the reason `truncated` if a model may not have read all of the texts: they have more
 * words than it counted tokens, or it counted as many tokens as it reads at most. Then each of them has to go alone. The
 * message names the text if it is known, as `input[3]`.
 */
export async function requireWhole(reading: Reading, label: string): Promise<void> {
  const cut = await findCut(reading);
  if (cut === undefined) return;
  const message = `The ${label} has not read all tokens of ${cut}; windowTokens says how many it reads`;
  throw new ReembedError('ModelRejectedInput', message, { reason: TRUNCATED });
}

/**
 * Says what a model has not read of a text that it got alone, by the tokens that it counted; undefined if it may have read
 * all of it.
 */
export function cutOfOne(size: TextSize, reading: Omit<Reading, 'texts' | 'areWhole'>): string | undefined {
  const { tokens, window } = reading;
  if (tokens === undefined) {
    return window !== undefined && size.minTokens > window ? `it has more than ${window} tokens` : undefined;
  }
  if (fillsWindow(reading, tokens, 1)) return `it counted ${tokens} tokens`;
  const isTelling = tokens >= MIN_WINDOW && !isEstimate(size.chars, tokens, 1);
  return isTelling && tokens < size.minTokens ? `it counted ${tokens} tokens for ${size.minTokens} or more` : undefined;
}

export function sizeOf(text: string): TextSize {
  return { chars: text.length, minTokens: minTokens(text) };
}

async function findCut(reading: Reading): Promise<string | undefined> {
  const { texts, tokens, window, areCounted } = reading;
  if (texts.length === 0) return undefined;
  if (tokens === undefined) {
    const at = window === undefined ? -1 : texts.findIndex((text) => minTokens(text) > window);
    return at < 0 ? undefined : `input[${at}]: it has more than ${window}`;
  }
  const called = texts.length === 1 ? 'input[0]' : `${texts.length} texts`;
  if (fillsWindow(reading, tokens, texts.length)) return `${called}: it counted ${tokens}`;
  if (window !== undefined) {
    const isHidden = !areCounted && texts.length > 1 && tokens >= window;
    if (isHidden && (await mayHideCut(reading, { tokens, window }))) return `${called}: it counted ${tokens}`;
  }
  const chars = texts.reduce((sum, { length }) => sum + length, 0);
  if (tokens < MIN_WINDOW + texts.length - 1 || isEstimate(chars, tokens, texts.length)) return undefined;
  const min = texts.reduce((sum, text) => sum + minTokens(text), 0);
  return tokens < min ? `${called}: it counted ${tokens} for ${min} or more` : undefined;
}

/** Whether a model counted all that it reads of each of the texts, or more. */
function fillsWindow({ window, areCounted }: Pick<Reading, 'window' | 'areCounted'>, tokens: number, texts: number) {
  if (window === undefined) return false;
  const filled = texts * window;
  return tokens > filled || (tokens === filled && !areCounted);
}

/** Whether the tokens of texts are those of their characters, rounded for each text or once. */
function isEstimate(chars: number, tokens: number, texts: number): boolean {
  return Math.abs(tokens - chars / CHARS_PER_TOKEN) <= texts;
}

/** Tokens that a model adds to each text. */
const ADDED = 4;
/** No text has fewer tokens for a character by the estimate, apart from white space. */
const MIN_DENSITY = 0.25;

/** Whether a text may be cut whose tokens the others of the call hide: by an estimate, or because it has proven too low. */
async function mayHideCut(
  { texts, areWhole }: Reading,
  { tokens, window }: { tokens: number; window: number },
): Promise<boolean> {
  const chars = texts.reduce((sum, { length }) => sum + length, 0);
  if (!areWhole && tokens < MIN_DENSITY * chars) return false;
  const estimates = await eachInTurn(texts, estimateUpperTokens);
  const sum = estimates.reduce((total, one) => total + one, 0);
  const max = estimates.reduce((most, one) => Math.max(most, one), 0);
  if (areWhole && max > window) return true;
  const density = tokens / (sum + ADDED * texts.length);
  // What was cut is missing in the density.
  return density > 1 && 2 * density * max >= window;
}

const CJK_PER_TOKEN = 3;

/**
 * Returns a number that the tokens of a text are not below with any usual tokenizer: one for each word that begins with
 * a letter or digit, and one for three characters of Chinese, Japanese and Korean.
 */
export function minTokens(text: string): number {
  let words = 0;
  let cjk = 0;
  let isAfterSpace = true;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isCjk(code)) cjk++;
    else if (isAfterSpace && isAlphanumeric(code)) words++;
    isAfterSpace = code === 0x20 || (code >= 0x09 && code <= 0x0d);
  }
  return words + Math.floor(cjk / CJK_PER_TOKEN);
}

function isAlphanumeric(code: number): boolean {
  if (code < 0x80) return (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a);
  return code >= 0xc0 && code < 0x2000;
}

/** Kana, Han and Hangul of the basic plane. */
function isCjk(code: number): boolean {
  return (code >= 0x3041 && code <= 0x30ff) || (code >= 0x3400 && code <= 0x9fff) || (code >= 0xac00 && code <= 0xd7a3);
}
