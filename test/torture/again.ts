import { setTimeout as sleep } from 'node:timers/promises';

/** Max time for the start of a server. */
export const START_TRIES_MS = 60_000;

/** Starts a server on its port again: leftovers of the killed one may be in the way for a moment. */
export async function again<T extends { stop(): Promise<void> }>(
  start: () => Promise<T>,
  fits: (server: T) => boolean,
): Promise<T> {
  for (const endMs = Date.now() + START_TRIES_MS; ; await sleep(200)) {
    try {
      const server = await start();
      if (fits(server)) return server;
      await server.stop();
      throw new Error('the port of a server was taken by someone else');
    } catch (error) {
      if (Date.now() > endMs) throw error;
    }
  }
}
