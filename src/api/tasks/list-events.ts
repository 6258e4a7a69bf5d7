import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Context } from 'hono';
import { eachInTurn } from '../../cpu/pace.ts';
import { listTasks, type TaskPage } from '../../temporal/index.ts';
import type { Responder } from './response.ts';
import { HEARTBEAT_MS, RETRY_MS, streamEvents } from './stream.ts';

/** Interval between two reads of the same page, however many readers it has. */
const LOOK_EVERY_MS = 1_000;

/** The pause after a slow read is this many times its duration: many pages share one server. */
const REST = 4;

/** A watched page: its last content, and the callbacks for changes. */
interface Watched {
  body: string;
  isOver: boolean;
  looks: Set<() => void>;
}

export type StreamList = (c: Context, page: TaskPage) => Promise<Response>;

/**
 * Streams pages of a list as server-sent events named `tasks`: the current page, and again after each change. A page is
 * read once for all of its readers, and a slow reader gets the newest one next. An error ends the streams; a reader
 * that reconnects gets it as an answer.
 */
export function createListStreams(client: Client, responder: Responder, heartbeatMs = HEARTBEAT_MS): StreamList {
  const watched = new Map<string, Watched>();

  async function read(page: TaskPage): Promise<string> {
    const { tasks, ...list } = await listTasks(client, page);
    return JSON.stringify({ ...list, tasks: await eachInTurn(tasks, responder.rowToBody) });
  }

  /** Reads the page again and again until it has no readers. */
  async function keepLooking(page: TaskPage, one: Watched): Promise<void> {
    for (let tookMs = 0; ; ) {
      await sleep(Math.max(LOOK_EVERY_MS, tookMs * REST), undefined, { ref: false });
      if (one.looks.size === 0) return;
      const beganMs = performance.now();
      const body = await read(page);
      tookMs = performance.now() - beganMs;
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
    const body = watched.get(key)?.body ?? (await read(page)); // report errors before the stream begins
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
