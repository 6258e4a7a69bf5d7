import type { Context } from 'hono';
import type { ApiEnv } from './create-router.ts';

/** Whether an answer is an event stream, which does not end by itself. */
export function isEventStream({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') === true;
}

/** Calls back when the answer has been sent or aborted; for a stream that is long after its creation. */
export function onSent(c: Context<ApiEnv>, ended: () => void): void {
  const outgoing = c.env?.outgoing;
  if (!outgoing || outgoing.closed || outgoing.destroyed) ended();
  else outgoing.once('close', ended);
}
