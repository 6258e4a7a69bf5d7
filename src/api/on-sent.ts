import type { Context } from 'hono';
import type { ApiEnv } from './router.ts';

/** Whether an answer is a stream of events, which has no end of its own. */
export function isEventStream({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') === true;
}

/** Calls back when the answer has been sent or broken off, which for a stream is long after it was made. */
export function onSent(c: Context<ApiEnv>, ended: () => void): void {
  const outgoing = c.env?.outgoing;
  if (!outgoing || outgoing.closed || outgoing.destroyed) ended();
  else outgoing.once('close', ended);
}
