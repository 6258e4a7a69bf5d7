import { endOfString } from '../contract/json-text/text-end.ts';

const MARKS = '[]{}:,';
const WORDS = ['true', 'false', 'null'];
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** Longer texts are not searched: a mistake must not cost more than the call. */
const MAX_CHARS = 1_000_000;

/** Two tokens that cannot follow each other: a value is missing between them. */
const MISSING_VALUE = /^(?:[,:][\]},:]|\[[,:}])$/;

/**
 * Describes where a text stops being JSON. V8's message is not used: it quotes the body, which is a user's data, and
 * gives no position for an unexpected token.
 */
export function describeJsonError(text: string, error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  if (/end of JSON/i.test(message)) return 'it ends too early';
  const position = /at position (\d+)/.exec(message)?.[1];
  const at = position === undefined ? firstBadToken(text) : Number(position);
  if (at === undefined) return 'it could not be parsed';
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  return `unexpected character at line ${line} column ${at - before.lastIndexOf('\n')}`;
}

function firstBadToken(text: string): number | undefined {
  if (text.length > MAX_CHARS) return undefined;
  let before = '';
  for (let at = 0; at < text.length; ) {
    const end = endOfToken(text, at);
    if (end === undefined) return at;
    const first = text[at] as string;
    const mark = MARKS.includes(first) ? first : '';
    if (mark !== '' && MISSING_VALUE.test(before + mark)) return at;
    if (!isSpace(first)) before = mark;
    at = end;
  }
  return undefined;
}

/** Returns where the token that begins at `at` ends; undefined if there is none. Reads each character once. */
function endOfToken(text: string, at: number): number | undefined {
  const first = text[at] as string;
  if (MARKS.includes(first)) return at + 1;
  if (isSpace(first)) return at + 1;
  if (first === '"') return endOfString(text, at);
  const word = WORDS.find((known) => text.startsWith(known, at));
  if (word !== undefined) return at + word.length;
  NUMBER.lastIndex = at;
  return NUMBER.test(text) ? NUMBER.lastIndex : undefined;
}

function isSpace(char: string): boolean {
  return char === ' ' || char === '\n' || char === '\r' || char === '\t';
}
