import { ReembedError } from '../contract/errors.ts';
import { jsonProblem } from '../contract/json.ts';
import { fieldPath } from '../contract/json-text/error.ts';
import type { Payload } from '../contract/objects.ts';

/**
 * Throws `InvalidInput` for a payload that Postgres cannot store as jsonb. Checked here, it fails one object; Postgres
 * would fail the whole batch.
 */
export function assertStorable(payload: Payload): void {
  const problem = jsonProblem(payload);
  if (!problem) return;
  const field = problem.path.length > 0 ? `the field ${fieldPath(problem.path)} of the payload` : 'the payload';
  throw new ReembedError('InvalidInput', `${field} ${problem.message}`);
}
