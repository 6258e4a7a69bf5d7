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
