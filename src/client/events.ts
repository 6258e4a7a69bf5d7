import type { z } from 'zod';
import { ReembedError } from '../contract/errors.ts';
import { type TaskList, type Tracker, taskListSchema, trackerSchema } from '../contract/tasks.ts';
import { linesOf } from './lines.ts';
import { pause } from './pause.ts';
import { checked, type Query, type Send } from './request.ts';

const PAUSE_MS = 500;
/** Max. consecutive connection failures: about a minute, enough for a restart of the API. */
const MAX_FAILURES = 12;

export interface WatchOptions {
  signal?: AbortSignal;
  /** Called with the error of each failed try, and with null once the server answers again. */
  onConnection?: (error: unknown) => void;
}

interface Wanted<S extends z.ZodType> {
  path: string;
  query: Query;
  /** Name of the events. */
  name: string;
  schema: S;
}

/**
 * Yields the tracker of a task at each change, until the task has ended. Reconnects after a lost connection, with the
 * id of the last event. The API responds with 204 when nothing will follow; a stream that merely ends does not mean
 * that.
 */
export function watchEvents(send: Send, taskId: string, options: WatchOptions): AsyncGenerator<Tracker> {
  return watch(send, { path: '/v1/tasks/events', query: { taskId }, name: 'tracker', schema: trackerSchema }, options);
}

/** Yields a page of tasks now and after each change, until the signal aborts. */
export function watchList(send: Send, query: Query, options: WatchOptions): AsyncGenerator<TaskList> {
  return watch(send, { path: '/v1/tasks/list', query, name: 'tasks', schema: taskListSchema }, options);
}

async function* watch<S extends z.ZodType>(
  send: Send,
  { path, query, name, schema }: Wanted<S>,
  { signal, onConnection }: WatchOptions,
): AsyncGenerator<z.output<S>> {
  let seen: string | undefined;
  let begun = false;
  for (let failures = 0; ; ) {
    try {
      const response = await send('GET', path, {
        query,
        accept: 'text/event-stream',
        headers: seen === undefined ? {} : { 'last-event-id': seen },
        signal,
      });
      onConnection?.(null);
      if (response.status === 204) return;
      let isEmpty = true;
      for await (const event of eventsOf(response)) {
        failures = 0;
        isEmpty = false;
        begun = true;
        seen = event.id ?? seen;
        if (event.name === name) yield checked(schema, JSON.parse(event.data), response.url);
      }
      // A proxy may end idle streams immediately: pause, so as not to reconnect in a tight loop.
      if (isEmpty) await pause(PAUSE_MS, signal);
    } catch (error) {
      signal?.throwIfAborted();
      failures++;
      onConnection?.(error);
      const mayRecover = error instanceof ReembedError && isPassing(error);
      if (!begun || !mayRecover || failures > MAX_FAILURES) throw error;
      await pause(Math.max(error.retryAfterMs ?? 0, Math.min(8_000, PAUSE_MS * 2 ** failures)), signal);
    }
  }
}

/** Returns true for a temporary error of the server or its rate limit, as opposed to a refusal of the request. */
function isPassing({ type, status }: ReembedError): boolean {
  return type === 'TooManyRequests' || (status >= 500 && type !== 'Internal');
}

interface Event {
  name: string;
  id: string | undefined;
  data: string;
}

/** Parses the server-sent events of a response. Drops an incomplete last event. */
export async function* eventsOf(response: Response): AsyncGenerator<Event> {
  let event: Event = { name: 'message', id: undefined, data: '' };
  for await (const raw of linesOf(response)) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '') {
      if (event.data !== '') yield event;
      event = { name: 'message', id: undefined, data: '' };
      continue;
    }
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') event.name = value;
    else if (field === 'id') event.id = value;
    else if (field === 'data') event.data += (event.data && '\n') + value;
  }
}
