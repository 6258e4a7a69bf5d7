import type { Context } from 'hono';

export interface CallerOptions {
  /** The name of who sends a request, for the record; that of the API token if not given. */
  callerOf?: (c: Context) => string | null | undefined;
}

/** Who sends a request; null when that is not known. */
export function callerOf(c: Context, options: CallerOptions): string | null {
  return (options.callerOf ? options.callerOf(c) : (c.get('caller') as string | undefined)) ?? null;
}
