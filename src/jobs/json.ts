import { types } from 'node:util';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { type Json, jsonProblem, PAYLOAD_LIMITS } from '../contract/json.ts';
import { fieldPath } from '../contract/json-text/error.ts';
import { LIMITS } from '../contract/limits.ts';

/**
 * A value as it travels: what JSON keeps of it.
 * @throws ReembedError `InvalidInput` for what has no JSON, `TooLarge`
 */
export function travelled(what: string, value: unknown): Json | undefined {
  if (value === undefined) return undefined;
  const lost = jsonLoss(value);
  if (lost !== undefined) {
    const [path, problem] = lost;
    const where = path === '' ? '' : ` at ${path}`;
    throw new ReembedError('InvalidInput', `${what} cannot be written as JSON${where}: ${problem}`);
  }
  const text = jsonOf(what, value);
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.jobBytes) {
    const limit = `${LIMITS.jobBytes / 1024} kB`;
    throw new ReembedError(
      'TooLarge',
      `${what} has ${Math.ceil(bytes / 1024)} kB, and may have ${limit}: keep it elsewhere, and send where it is`,
    );
  }
  const sent = JSON.parse(text) as Json;
  const problem = jsonProblem(sent, PAYLOAD_LIMITS, { nul: true, anyNumber: true });
  if (problem) {
    const field = problem.path.length > 0 ? `the field ${fieldPath(problem.path)} of ${what}` : what;
    throw new ReembedError('InvalidInput', `${field} ${problem.message}`);
  }
  return sent;
}

function jsonOf(what: string, value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new ReembedError('InvalidInput', `${what} cannot be written as JSON: ${messageOf(error)}`, { cause: error });
  }
  if (text === undefined)
    throw new ReembedError('InvalidInput', `${what} cannot be written as JSON: it is a ${typeof value}`);
  return text;
}

/** Values that JSON writes as something else, and says nothing. */
const LOST: readonly [(value: unknown) => boolean, string][] = [
  [types.isMap, 'a Map has no JSON: send its entries or an object'],
  [types.isSet, 'a Set has no JSON: send an array'],
  [types.isWeakMap, 'a WeakMap has no JSON'],
  [types.isWeakSet, 'a WeakSet has no JSON'],
  [types.isRegExp, 'a RegExp has no JSON: send its source'],
  [types.isPromise, 'a Promise has no JSON: wait for it first'],
  [types.isNativeError, 'an Error has no JSON: send its message'],
  [types.isAnyArrayBuffer, 'an ArrayBuffer has no JSON: send it as base64'],
  [ArrayBuffer.isView, 'binary data has no JSON: send it as base64'],
  [(value) => typeof value === 'function', 'a function has no JSON'],
  [(value) => typeof value === 'symbol', 'a symbol has no JSON'],
  [(value) => typeof value === 'bigint', 'a BigInt has no JSON: send it as text'],
  [(value) => typeof value === 'number' && !Number.isFinite(value), 'a number must be finite'],
];

/** The path of the first value that JSON would leave out or change, and what is wrong; undefined if there is none. */
function jsonLoss(value: unknown): [path: string, problem: string] | undefined {
  const left: { value: unknown; path: string }[] = [{ value, path: '' }];
  const seen = new Set<unknown>();
  for (let next = left.pop(); next; next = left.pop()) {
    const { value, path } = next;
    const lost = LOST.find(([is]) => is(value));
    if (lost) return [path, lost[1]];
    // What says itself how it is written is taken at its word; a circle is told by whoever writes it.
    if (typeof value !== 'object' || value === null || 'toJSON' in value || seen.has(value)) continue;
    seen.add(value);
    const inner = Object.entries(value).map(([key, each]) => ({
      value: each,
      path: path === '' ? key : `${path}.${key}`,
    }));
    left.push(...inner.reverse());
  }
  return undefined;
}

const DETAIL_CHARS = 2_000;

/** What a handler says of itself with a heartbeat, as it can be sent: JSON, or text where it has none or too much. */
export function plainDetails(details: unknown): unknown {
  if (details === undefined) return undefined;
  try {
    const text = JSON.stringify(details, (_key, value) => (typeof value === 'bigint' ? String(value) : value));
    if (text !== undefined) return text.length <= DETAIL_CHARS ? JSON.parse(text) : text.slice(0, DETAIL_CHARS);
  } catch {
    // Told as text below.
  }
  return String(details).slice(0, DETAIL_CHARS);
}
