import { defineSignal, setHandler } from '@temporalio/workflow';
import { STEP_WAITS } from '../../contract/names.ts';
import type { ChunkWaits, StepWaits } from '../../contract/task-pace.ts';
import type { TrackerKeeper } from './tracker-keeper.ts';

export const stepWaitsSignal = defineSignal<[waits?: StepWaits]>(STEP_WAITS);

/** Takes reports of an activity that runs for long. */
export function handleStepWaits(keeper: TrackerKeeper): void {
  setHandler(stepWaitsSignal, (waits) => keeper.noteWaits(waits ?? undefined));
}

/**
 * Calls an activity that tells what it waited for, and adds how long it waited for a worker. An activity of an older
 * worker tells nothing.
 */
export async function withStepWaits<R extends { waits?: ChunkWaits | undefined }>(
  call: () => Promise<R>,
): Promise<R & { waits?: StepWaits | undefined }> {
  const startedMs = Date.now();
  const result = await call();
  const { waits } = result;
  // Both times are those of the Temporal server, so clocks that differ do not matter.
  const workerMs = Math.max(0, Date.now() - startedMs - (waits?.ranMs ?? 0));
  return { ...result, waits: waits && { ...waits, workerMs } };
}
