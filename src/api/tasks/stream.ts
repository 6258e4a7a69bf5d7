import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';

/** How often an idle stream says that it is still there, and asks whether its reader still may read it. */
export const HEARTBEAT_MS = 15_000;

/** How long a browser waits before it connects again. */
export const RETRY_MS = 2_000;

// Without it a proxy may hold events back until its buffer is full.
const UNBUFFERED = { 'x-accel-buffering': 'no' };

/**
 * Answers with server-sent events. The signal ends with the connection, and when the token of the reader was withdrawn:
 * `work` must end then. HEAD is answered as GET would be, without a stream. An error ends the stream in the middle; the
 * reader comes back and is told of it in an answer of its own.
 */
export function streamEvents(
  c: Context,
  heartbeatMs: number,
  work: (stream: SSEStreamingApi, left: AbortSignal) => Promise<void>,
): Response {
  if (c.req.method === 'HEAD') return c.body(null, 200, { ...UNBUFFERED, 'content-type': 'text/event-stream' });
  const left = new AbortController();
  const leave = () => left.abort();
  const response = streamSSE(
    c,
    async (stream) => {
      stream.onAbort(leave);
      onConnectionEnd(c, leave);
      let isWriting = false;
      const beat = async () => {
        if (c.get('mayStill')?.() === false) return leave();
        // Of a reader that does not read, one is enough.
        if (isWriting) return;
        isWriting = true;
        await stream.write(': still here\n\n');
        isWriting = false;
      };
      const heartbeat = setInterval(() => void beat(), heartbeatMs);
      try {
        await work(stream, left.signal);
      } finally {
        clearInterval(heartbeat);
      }
    },
    async () => {},
  );
  for (const [name, value] of Object.entries(UNBUFFERED)) response.headers.set(name, value);
  return response;
}

function onConnectionEnd(c: Context, ended: () => void): void {
  const outgoing = c.env?.outgoing;
  if (!outgoing) return;
  if (outgoing.closed || outgoing.destroyed) ended();
  else outgoing.once('close', ended);
}
