import type { Tracker } from '../contract/tasks.ts';
import type { DeleteInput } from '../contract/workflow-inputs.ts';
import { bodyOf } from './input.ts';
import { writeItems } from './live-write.ts';

/** Deletes objects, and what is derived from them, leaving tombstones against older writes. */
export async function deleteObjects(input: DeleteInput): Promise<Tracker> {
  return writeItems('delete', bodyOf(input));
}
