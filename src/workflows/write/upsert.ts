import type { HandOver } from '../../contract/hand-over.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { UpsertInput } from '../../contract/workflow-inputs.ts';
import { receive } from '../task/receive.ts';
import { writeItems } from './live-write.ts';

/** Embeds objects and writes them to an index; also to the one that is being built from it. */
export async function upsert(input: UpsertInput, given?: HandOver): Promise<Tracker> {
  return writeItems('upsert', receive('upsert', input, given));
}
