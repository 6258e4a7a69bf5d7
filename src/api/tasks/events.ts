import type { Client } from '@temporalio/client';
import type { Context } from 'hono';
import { readTask, watchTask } from '../../client/temporal/index.ts';
import type { Responder } from './response.ts';
import { HEARTBEAT_MS, RETRY_MS, streamEvents } from './stream.ts';

/**
 * Streams a task's tracker as server-sent events named `tracker`, one for each change, until the task has ended. An
 * event's id is the tracker's `updateTime`: whoever comes back with it as `Last-Event-ID` gets what is newer. When
 * nothing is and the task has ended, the answer is 204, which tells a browser not to come again.
 */
export async function streamTask(
  c: Context,
  client: Client,
  taskId: string,
  responder: Responder,
  heartbeatMs: number = HEARTBEAT_MS,
): Promise<Response> {
  const seen = c.req.header('last-event-id');
  const first = await readTask(client, taskId); // what is wrong is told before the stream begins
  if (first.ended && first.tracker.updateTime === seen) return c.body(null, 204);
  return streamEvents(c, heartbeatMs, async (stream, left) => {
    for await (const tracker of watchTask(client, taskId, left)) {
      if (tracker.updateTime === seen) continue;
      const data = JSON.stringify(responder.toBody(tracker));
      await stream.writeSSE({ event: 'tracker', id: tracker.updateTime, data, retry: RETRY_MS });
    }
  });
}
