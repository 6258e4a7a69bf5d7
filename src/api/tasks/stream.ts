import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';

/** Interval at which an idle stream sends a heartbeat and checks whether its reader is still authorized. */
export const HEARTBEAT_MS = 15_000;

/** Delay before a browser reconnects. */
export const RETRY_MS = 2_000;

// Without it a proxy may buffer events until its buffer is full.
const UNBUFFERED = { 'x-accel-buffering': 'no' };

/**
 * Answers with server-sent events. The signal aborts when the connection ends or the reader's token is withdrawn;
 * `work` must end then. HEAD is answered like GET, without a stream. An error ends the stream in the middle; the reader
 * reconnects and gets the error as an answer.
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
        // One is enough for a reader that does not read.
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
