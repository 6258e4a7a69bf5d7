import { types } from 'node:util';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { type Json, jsonProblem, PAYLOAD_LIMITS } from '../contract/json.ts';
import { fieldPath } from '../contract/json-text/error.ts';
import { LIMITS } from '../contract/limits.ts';

/**
 * Returns a value as it is after a round trip through JSON.
 * @throws ReembedError `InvalidInput` for values without a JSON form, `TooLarge`
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
      `${what} has ${Math.ceil(bytes / 1024)} kB, the limit is ${limit}: store it elsewhere and send a reference`,
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

/** Values that JSON silently changes or omits. */
const LOST: readonly [(value: unknown) => boolean, string][] = [
  [types.isMap, 'a Map has no JSON form: send its entries or an object'],
  [types.isSet, 'a Set has no JSON form: send an array'],
  [types.isWeakMap, 'a WeakMap has no JSON form'],
  [types.isWeakSet, 'a WeakSet has no JSON form'],
  [types.isRegExp, 'a RegExp has no JSON form: send its source'],
  [types.isPromise, 'a Promise has no JSON form: await it first'],
  [types.isNativeError, 'an Error has no JSON form: send its message'],
  [types.isAnyArrayBuffer, 'an ArrayBuffer has no JSON form: send it as base64'],
  [ArrayBuffer.isView, 'binary data has no JSON form: send it as base64'],
  [(value) => typeof value === 'function', 'a function has no JSON form'],
  [(value) => typeof value === 'symbol', 'a symbol has no JSON form'],
  [(value) => typeof value === 'bigint', 'a BigInt has no JSON form: send it as text'],
  [(value) => typeof value === 'number' && !Number.isFinite(value), 'a number must be finite'],
];

/** Returns the path and problem of the first value that JSON would omit or change; undefined if there is none. */
function jsonLoss(value: unknown): [path: string, problem: string] | undefined {
  const left: { value: unknown; path: string }[] = [{ value, path: '' }];
  const seen = new Set<unknown>();
  for (let next = left.pop(); next; next = left.pop()) {
    const { value, path } = next;
    const lost = LOST.find(([is]) => is(value));
    if (lost) return [path, lost[1]];
    // Values with `toJSON` are trusted; JSON.stringify reports cycles.
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

/** Converts heartbeat details to what can be sent: JSON, or text if they have no JSON form or are too long. */
export function plainDetails(details: unknown): unknown {
  if (details === undefined) return undefined;
  try {
    const text = JSON.stringify(details, (_key, value) => (typeof value === 'bigint' ? String(value) : value));
    if (text !== undefined) return text.length <= DETAIL_CHARS ? JSON.parse(text) : text.slice(0, DETAIL_CHARS);
  } catch {
    // Sent as text below.
  }
  return String(details).slice(0, DETAIL_CHARS);
}
