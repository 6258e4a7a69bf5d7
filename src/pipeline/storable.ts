import { ReembedError } from '../contract/errors.ts';
import { storageProblem } from '../contract/json.ts';
import type { Payload } from '../contract/objects.ts';

/**
 * Throws `InvalidInput` for what Postgres cannot store as jsonb. Found here, it fails one object; found by Postgres, it
 * would fail the whole batch.
 */
export function assertStorable(payload: Payload): void {
  const problem = storageProblem(payload);
  if (problem) throw new ReembedError('InvalidInput', `the payload ${problem}`);
}
