import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { listTasks, type TaskPage } from '../../client/temporal/index.ts';
import { HEARTBEAT_MS, RETRY_MS } from './events.ts';
import type { Responder } from './response.ts';

/** Between two looks at the same page, however many look on. */
const LOOK_EVERY_MS = 1_000;

type Look = (body: string | undefined) => void;

/** A page that is being looked at: what it was last, and who wants to know. */
interface Watched {
  body: string;
  looks: Set<Look>;
}

export type StreamList = (c: Context, page: TaskPage) => Promise<Response>;

/**
 * Streams pages of a list as server-sent events named `tasks`: the page as it is, and again each time it has changed. A
 * page is asked for once for all who look at it. An error ends the streams; whoever comes back is told of it.
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
      for (const look of one.looks) look(body);
    }
  }

  function watch(key: string, page: TaskPage, body: string): Watched {
    const one: Watched = { body, looks: new Set() };
    watched.set(key, one);
    void keepLooking(page, one)
      .catch(() => {})
      .finally(() => {
        if (watched.get(key) === one) watched.delete(key);
        for (const look of one.looks) look(undefined);
      });
    return one;
  }

  return async (c, page) => {
    const key = JSON.stringify(page);
    const body = watched.get(key)?.body ?? (await read(page)); // what is wrong is told before the stream begins
    const one = watched.get(key) ?? watch(key, page, body);
    const response = streamSSE(c, async (stream) => {
      const heartbeat = setInterval(() => void stream.write(': still here\n\n'), heartbeatMs);
      const send = (data: string) => stream.writeSSE({ event: 'tasks', data, retry: RETRY_MS });
      let leave: Look | undefined;
      try {
        // It may have changed since it was read.
        await send(one.body);
        await new Promise<void>((end) => {
          stream.onAbort(end);
          leave = (changed) => (changed === undefined ? end() : void send(changed));
          one.looks.add(leave);
          if (watched.get(key) !== one) end();
        });
      } finally {
        if (leave) one.looks.delete(leave);
        clearInterval(heartbeat);
      }
    });
    // Without it a proxy may hold events back until its buffer is full.
    response.headers.set('x-accel-buffering', 'no');
    return response;
  };
}
