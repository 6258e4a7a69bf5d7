import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { STEP_WAITS } from '../../contract/names.ts';
import type { ChunkWaits, StepWaits } from '../../contract/task-pace.ts';
import type { WaitMeter } from './chunk-waits.ts';

/** Each report adds events to the history; copies report as often. */
const EVERY_MS = 10_000;

/**
 * Tells the task of the running activity what it waits for while it runs, for an activity that is not cut into short ones.
 * Call `tell` between two pieces; `end` waits until the last report is sent.
 */
export function createWaitReports(
  client: Client,
  meter: Pick<WaitMeter, 'read'>,
  everyMs = EVERY_MS,
): { tell(): void; end(): Promise<void> } {
  const { workflowExecution } = Context.current().info;
  let told: ChunkWaits = { ranMs: 0, liveMs: 0, rateMs: 0, modelMs: 0 };
  let sending: Promise<unknown> = Promise.resolve();
  return {
    tell() {
      const waits = meter.read();
      if (!workflowExecution || waits.ranMs - told.ranMs < everyMs) return;
      const since: StepWaits = {
        ranMs: waits.ranMs - told.ranMs,
        liveMs: waits.liveMs - told.liveMs,
        rateMs: waits.rateMs - told.rateMs,
        modelMs: waits.modelMs - told.modelMs,
        workerMs: 0,
      };
      told = waits;
      const { workflowId, runId } = workflowExecution;
      const handle = client.workflow.getHandle(workflowId, runId);
      // A report that does not arrive is not missed.
      sending = sending.then(() => handle.signal(STEP_WAITS, since)).catch(() => {});
    },
    end: async () => void (await sending),
  };
}
