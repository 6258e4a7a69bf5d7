import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { STEP_WAITS } from '../../contract/names.ts';
import type { ChunkWaits, StepWaits } from '../../contract/task-pace.ts';
import type { WaitMeter } from './chunk-waits.ts';

/** Each report adds events to the history; copies report as often. */
const EVERY_MS = 10_000;

/**
 * Reports to the task of the running activity what it waits for, for an activity that is not cut into short ones. Call
 * `report` between two pieces; `end` waits until the last report is sent.
 */
export function createWaitReports(
  client: Client,
  meter: Pick<WaitMeter, 'read'>,
  everyMs = EVERY_MS,
): { report(): void; end(): Promise<void> } {
  const { workflowExecution } = Context.current().info;
  let reported: ChunkWaits = { ranMs: 0, liveMs: 0, rateMs: 0, modelMs: 0 };
  let sending: Promise<unknown> = Promise.resolve();
  return {
    report() {
      const waits = meter.read();
      if (!workflowExecution || waits.ranMs - reported.ranMs < everyMs) return;
      const since: StepWaits = {
        ranMs: waits.ranMs - reported.ranMs,
        liveMs: waits.liveMs - reported.liveMs,
        rateMs: waits.rateMs - reported.rateMs,
        modelMs: waits.modelMs - reported.modelMs,
        workerMs: 0,
      };
      reported = waits;
      const { workflowId, runId } = workflowExecution;
      const handle = client.workflow.getHandle(workflowId, runId);
      // A report that does not arrive is not missed.
      sending = sending.then(() => handle.signal(STEP_WAITS, since)).catch(() => {});
    },
    end: async () => void (await sending),
  };
}
