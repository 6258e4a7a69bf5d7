import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Context } from 'hono';
import { listTasks, type TaskPage } from '../../client/temporal/index.ts';
import type { Responder } from './response.ts';
import { HEARTBEAT_MS, RETRY_MS, streamEvents } from './stream.ts';

/** Between two looks at the same page, however many look on. */
const LOOK_EVERY_MS = 1_000;

/** A page that is being looked at: what it was last, and who wants to know when that changes. */
interface Watched {
  body: string;
  isOver: boolean;
  looks: Set<() => void>;
}

export type StreamList = (c: Context, page: TaskPage) => Promise<Response>;

/**
 * Streams pages of a list as server-sent events named `tasks`: the page as it is, and again each time it has changed. A
 * page is asked for once for all who look at it, and who reads slowly gets the newest one next. An error ends the
 * streams; whoever comes back is told of it.
 */
export function createListStreams(client: Client, responder: Responder, heartbeatMs = HEARTBEAT_MS): StreamList {
  const watched = new Map<string, Watched>();

  async function read(page: TaskPage): Promise<string> {
    const { tasks, ...list } = await listTasks(client, page);
    return JSON.stringify({ ...list, tasks: tasks.map((row) => responder.rowToBody(row)) });
  }

  /** As long as anyone looks on. */
  async function keepLooking(page: TaskPage, one: Watched): Promise<void> {
    for (;;) {
      await sleep(LOOK_EVERY_MS, undefined, { ref: false });
      if (one.looks.size === 0) return;
      const body = await read(page);
      if (body === one.body) continue;
      one.body = body;
      for (const look of one.looks) look();
    }
  }

  function watch(key: string, page: TaskPage, body: string): Watched {
    const one: Watched = { body, isOver: false, looks: new Set() };
    watched.set(key, one);
    void keepLooking(page, one)
      .catch(() => {})
      .finally(() => {
        if (watched.get(key) === one) watched.delete(key);
        one.isOver = true;
        for (const look of one.looks) look();
      });
    return one;
  }

  return async (c, page) => {
    const key = JSON.stringify(page);
    const body = watched.get(key)?.body ?? (await read(page)); // what is wrong is told before the stream begins
    return streamEvents(c, heartbeatMs, async (stream, left) => {
      const one = watched.get(key) ?? watch(key, page, body);
      let wake = () => {};
      const look = () => wake();
      one.looks.add(look);
      left.addEventListener('abort', look);
      try {
        let sent: string | undefined;
        while (!left.aborted && !one.isOver) {
          if (one.body === sent) {
            await new Promise<void>((changed) => {
              wake = changed;
            });
            continue;
          }
          sent = one.body;
          await stream.writeSSE({ event: 'tasks', data: sent, retry: RETRY_MS });
        }
      } finally {
        one.looks.delete(look);
      }
    });
  };
}
