import type { Client, WorkflowHandle } from '@temporalio/client';

type HistoryEvents = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>;

export interface ReindexTimes {
  /** From the model's response to the end of the last slice, plus reconciling. */
  copySeconds: number;
  /** From the start to that response: the lock and the check of the model. */
  preparationSeconds: number;
  /** The HNSW build. */
  buildSeconds: number;
  /** The last comparison before the switch. */
  verifySeconds: number;
  /** From the start to the switch. */
  wholeSeconds: number;
  /** Events and bytes of its history and those of its slices. */
  events: number;
  bytes: number;
}

/** Measures the phases of a reindex by the Temporal server's clock, and the size of its histories. */
export async function reindexTimes(client: Client, taskId: string): Promise<ReindexTimes> {
  const { events } = await client.workflow.getHandle(taskId).fetchHistory();
  const at = momentsOf(events ?? []);
  const slices = (events ?? []).flatMap((event) => {
    return event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId ?? [];
  });
  const sizes = await Promise.all([taskId, ...slices].map((id) => historySize(client, id)));
  return {
    copySeconds: at('buildVectorIndex begins') - at('checkModel ends') + at('verify begins') - at('reconcile begins'),
    preparationSeconds: at('checkModel ends') - at('start'),
    buildSeconds: at('buildVectorIndex ends') - at('buildVectorIndex begins'),
    verifySeconds: at('verify ends') - at('verify begins'),
    wholeSeconds: at('end') - at('start'),
    events: sizes.reduce((sum, { events }) => sum + events, 0),
    bytes: sizes.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Returns the seconds at which each activity first started and last ended. */
function momentsOf(events: HistoryEvents): (moment: string) => number {
  const nameOf = new Map<string, string>();
  const moments = new Map<string, number>();
  for (const event of events) {
    const seconds = Number(event.eventTime?.seconds) + (event.eventTime?.nanos ?? 0) / 1e9;
    const scheduled = event.activityTaskScheduledEventAttributes;
    const completed = event.activityTaskCompletedEventAttributes;
    if (event.workflowExecutionStartedEventAttributes) moments.set('start', seconds);
    if (event.workflowExecutionCompletedEventAttributes) moments.set('end', seconds);
    if (scheduled) {
      const name = scheduled.activityType?.name ?? '';
      nameOf.set(String(event.eventId), name);
      if (!moments.has(`${name} begins`)) moments.set(`${name} begins`, seconds);
    }
    if (completed) moments.set(`${nameOf.get(String(completed.scheduledEventId))} ends`, seconds);
  }
  return (moment) => {
    const seconds = moments.get(moment);
    if (seconds === undefined) throw new Error(`the history does not tell when ${moment}`);
    return seconds;
  };
}

async function historySize(client: Client, id: string): Promise<{ events: number; bytes: number }> {
  const { historyLength, historySize = 0 } = await client.workflow.getHandle(id).describe();
  return { events: historyLength, bytes: historySize };
}
