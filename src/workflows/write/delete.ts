import type { HandOver } from '../../contract/hand-over.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { DeleteInput } from '../../contract/workflow-inputs.ts';
import { receive } from '../task/receive.ts';
import { writeItems } from './live-write.ts';

/** Deletes objects, and what is derived from them, leaving tombstones against older writes. */
export async function deleteObjects(input: DeleteInput, given?: HandOver): Promise<Tracker> {
  return writeItems('delete', receive('delete', input, given));
}
