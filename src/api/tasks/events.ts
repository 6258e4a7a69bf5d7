import type { Client } from '@temporalio/client';
import type { Context } from 'hono';
import { readTask, watchTask } from '../../temporal/index.ts';
import type { Responder } from './response.ts';
import { HEARTBEAT_MS, RETRY_MS, streamEvents } from './stream.ts';

/**
 * Streams a task's tracker as server-sent events named `tracker`, one for each change, until the task has ended. An
 * event's id is the tracker's `updateTime`: a reader that reconnects with it as `Last-Event-ID` gets what is newer. If
 * nothing is newer and the task has ended, the answer is 204, so that a browser does not reconnect.
 */
export async function streamTask(
  c: Context,
  client: Client,
  taskId: string,
  responder: Responder,
  heartbeatMs: number = HEARTBEAT_MS,
): Promise<Response> {
  const seen = c.req.header('last-event-id');
  const first = await readTask(client, taskId); // report errors before the stream begins
  if (first.ended && first.tracker.updateTime === seen) return c.body(null, 204);
  return streamEvents(c, heartbeatMs, async (stream, left) => {
    for await (const tracker of watchTask(client, taskId, left)) {
      if (tracker.updateTime === seen) continue;
      const data = JSON.stringify(responder.toBody(tracker));
      await stream.writeSSE({ event: 'tracker', id: tracker.updateTime, data, retry: RETRY_MS });
    }
  });
}
