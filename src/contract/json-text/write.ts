import { messageOf, ReembedError } from '../errors.ts';
import { jsonProblem } from '../json.ts';
import { fieldPath } from './error.ts';

/** No limits here: the server checks sizes. */
const NO_LIMITS = { levels: 1_000, values: Number.POSITIVE_INFINITY };

/**
 * Serializes a value as JSON. What JSON would change silently is refused: `JSON.stringify` turns NaN and Infinity into
 * null. @throws ReembedError `InvalidInput` naming the field
 */
export function toJsonText(value: unknown): string {
  const problem = jsonProblem(value, NO_LIMITS, { nul: true });
  if (problem) {
    const issue = { path: fieldPath(problem.path), message: problem.message };
    throw new ReembedError('InvalidInput', `${issue.path || 'the value'}: ${issue.message}`, { issues: [issue] });
  }
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new ReembedError('InvalidInput', `the value cannot be written as JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
