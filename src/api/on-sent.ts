import type { Context } from 'hono';
import type { ApiEnv } from './router.ts';

/** Calls back when the answer has been sent or broken off, which for a stream is long after it was made. */
export function onSent(c: Context<ApiEnv>, ended: () => void): void {
  const outgoing = c.env?.outgoing;
  if (!outgoing || outgoing.closed || outgoing.destroyed) ended();
  else outgoing.once('close', ended);
}
