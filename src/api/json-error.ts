/** One JSON token, or white space, from where the last one ended. */
const TOKEN = /\s+|"(?:[^"\\]+|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[[\]{}:,]/y;

/** Longer texts are not searched: a mistake should not cost more than the call. */
const MOST_CHARS = 1_000_000;

/** Two marks that cannot follow each other: a value is missing between them. */
const MISSING_VALUE = /^(?:[,:][\]},:]|\[[,:}])$/;

/**
 * Where a text stops being JSON, in words. V8's message is not passed on: it quotes the body, which is a user's data,
 * and for an unexpected token it names no place.
 */
export function whereJsonBreaks(text: string, error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  if (/end of JSON/i.test(message)) return 'it ends too early';
  const told = /at position (\d+)/.exec(message)?.[1];
  const at = told === undefined ? firstBadToken(text) : Number(told);
  if (at === undefined) return 'it could not be parsed';
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  return `unexpected character at line ${line} column ${at - before.lastIndexOf('\n')}`;
}

function firstBadToken(text: string): number | undefined {
  if (text.length > MOST_CHARS) return undefined;
  let before = '';
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined || MISSING_VALUE.test(before + token)) return at;
    if (token.trim() !== '') before = token;
  }
  return undefined;
}
