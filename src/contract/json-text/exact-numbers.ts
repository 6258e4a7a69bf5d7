import { MAX_PLAIN_CHARS, numberProblem } from './numbers.ts';
import { endOfString } from './text-end.ts';

const NUMBER = /-?\d[\d.eE+-]*/g;

/** Returns a valid JSON text in which the numbers that a double would change are texts, at all levels. */
export function withExactNumbers(json: string): string {
  let exact = '';
  for (let at = 0; at < json.length; ) {
    const quote = json.indexOf('"', at);
    const from = quote < 0 ? json.length : quote;
    const to = quote < 0 ? json.length : (endOfString(json, quote) ?? json.length);
    exact += json.slice(at, from).replace(NUMBER, (token) => (isExact(token) ? token : `"${token}"`));
    exact += json.slice(from, to);
    at = to;
  }
  return exact;
}

function isExact(token: string): boolean {
  if (token.length <= MAX_PLAIN_CHARS && !/[eE]/.test(token)) return true;
  return numberProblem(token) === undefined;
}
