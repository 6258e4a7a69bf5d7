import type { Context } from 'hono';
import type { CallerOptions } from './options.ts';

/** Returns the caller's name; null if it is unknown. */
export function callerOf(c: Context, options: CallerOptions): string | null {
  return (options.callerOf ? options.callerOf(c) : (c.get('caller') as string | undefined)) ?? null;
}
