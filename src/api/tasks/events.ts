import type { Client } from '@temporalio/client';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { readTask, watchTask } from '../../client/temporal/index.ts';
import type { Responder } from './response.ts';

/** How often an idle stream says that it is still there. */
export const HEARTBEAT_MS = 15_000;

/** How long a browser waits before it connects again. */
export const RETRY_MS = 2_000;

/**
 * Streams a task's tracker as server-sent events named `tracker`, one for each change, until the task has ended. An
 * event's id is the tracker's `updateTime`: whoever comes back with it as `Last-Event-ID` gets what is newer. When
 * nothing is and the task has ended, the answer is 204, which tells a browser not to come again.
 */
export async function streamEvents(
  c: Context,
  client: Client,
  taskId: string,
  responder: Responder,
  heartbeatMs: number = HEARTBEAT_MS,
): Promise<Response> {
  const seen = c.req.header('last-event-id');
  const first = await readTask(client, taskId); // what is wrong is told before the stream begins
  if (first.ended && first.tracker.updateTime === seen) return c.body(null, 204);
  const response = streamSSE(
    c,
    async (stream) => {
      const left = new AbortController();
      stream.onAbort(() => left.abort());
      const heartbeat = setInterval(() => void stream.write(': still here\n\n'), heartbeatMs);
      try {
        for await (const tracker of watchTask(client, taskId, left.signal)) {
          if (tracker.updateTime === seen) continue;
          const data = JSON.stringify(responder.toBody(tracker));
          await stream.writeSSE({ event: 'tracker', id: tracker.updateTime, data, retry: RETRY_MS });
        }
      } finally {
        clearInterval(heartbeat);
      }
      // An error ends the stream in the middle; the browser comes back and is told of it in an answer of its own.
    },
    async () => {},
  );
  // Without it a proxy may hold events back until its buffer is full.
  response.headers.set('x-accel-buffering', 'no');
  return response;
}
