import { seededRandom } from './random.ts';

/** Bounds of a sentence that can be a query, in characters. */
const MIN_CHARS = 20;
const MAX_CHARS = 300;
/** The rest of a longer text is not looked at. */
const READ_CHARS = 20_000;

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
const words = new Intl.Segmenter('en', { granularity: 'word' });

/**
 * Picks one sentence of a text, at random by the seed; null if the text has none that could be a query. Sentences are
 * cut at line ends too. If none has 20 to 300 characters, the beginning of the text is taken.
 *
 * A query made from an object, with the object as its only answer, is a known-item query (Azzopardi, de Rijke and
 * Balog, "Building simulated queries for known-item topics", SIGIR 2007). It says how well a model finds a text by a
 * part of it, not how well it understands a question.
 */
export function pickSentence(text: string, seed: string): string | null {
  const lines = beginningOf(text, READ_CHARS).split(/[\r\n]+/);
  const all = lines.flatMap((line) => [...sentences.segment(line)].map(({ segment }) => clean(segment)));
  const fit = all.filter((one) => one.length >= MIN_CHARS && one.length <= MAX_CHARS && hasWord(one));
  if (fit.length > 0) return fit[Math.floor(seededRandom(hashOf(seed))() * fit.length)] as string;
  const first = beginningOf(clean(lines.join(' ')), MAX_CHARS).trim();
  return hasWord(first) ? first : null;
}

/** Cuts a text, but not between the halves of a character. */
function beginningOf(text: string, maxChars: number): string {
  return text.slice(0, maxChars).replace(/[\ud800-\udbff]$/, '');
}

function clean(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

function hasWord(text: string): boolean {
  for (const { isWordLike } of words.segment(text)) if (isWordLike) return true;
  return false;
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
