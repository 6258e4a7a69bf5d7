import { ReembedError } from '../contract/errors.ts';
import { jsonProblem } from '../contract/json.ts';
import { fieldPath } from '../contract/json-text/error.ts';
import type { Payload } from '../contract/objects.ts';

/**
 * Throws `InvalidInput` for what Postgres cannot store as jsonb. Found here, it fails one object; found by Postgres, it
 * would fail the whole batch.
 */
export function assertStorable(payload: Payload): void {
  const problem = jsonProblem(payload);
  if (!problem) return;
  const field = problem.path.length > 0 ? `the field ${fieldPath(problem.path)} of the payload` : 'the payload';
  throw new ReembedError('InvalidInput', `${field} ${problem.message}`);
}
