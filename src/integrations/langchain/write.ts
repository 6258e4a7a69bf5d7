import type { BulkFailed, BulkOperation, BulkOptions, ReembedClient } from '../../client/client.ts';
import { type ErrorType, isErrorType, ReembedError } from '../../contract/errors.ts';

/** Failures that an error names; it counts the others. */
const NAMED = 5;

/**
 * Carries out all operations and waits for the end of their tasks. Error: the type of the first failure, or
 * `TaskFailed`, naming the objects that failed; the others are written.
 */
export async function writeAll(
  client: ReembedClient,
  operations: readonly BulkOperation[],
  options: Pick<BulkOptions, 'index' | 'onReindex' | 'signal'>,
): Promise<void> {
  const failures: BulkFailed[] = [];
  let failed = 0;
  const bulk = client.bulk({
    ...options,
    onReport: (report) => {
      if (report.status !== 'failed') return;
      failed++;
      if (failures.length < NAMED) failures.push(report);
    },
  });
  for (const operation of operations) await bulk.push(operation);
  await bulk.close();
  const [first] = failures;
  if (first === undefined) return;
  const type: ErrorType = isErrorType(first.reason) ? first.reason : 'TaskFailed';
  const named = failures.map(({ op, id, detail }) => `${op} ${id}: ${detail}`).join('; ');
  const more = failed > failures.length ? `; and ${failed - failures.length} more` : '';
  throw new ReembedError(type, `${failed} of ${operations.length} failed: ${named}${more}`, {
    taskId: first.taskId ?? undefined,
  });
}
