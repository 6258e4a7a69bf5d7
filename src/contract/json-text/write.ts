import { messageOf, ReembedError } from '../errors.ts';
import { jsonProblem } from '../json.ts';
import { fieldPath } from './error.ts';

/** Sizes are the server's business. */
const NO_LIMITS = { levels: 1_000, values: Number.POSITIVE_INFINITY };

/**
 * A value as JSON text. What JSON would change without a word is refused: `JSON.stringify` makes `null` of NaN and
 * Infinity. @throws ReembedError `InvalidInput` naming the field
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
