import { sql } from 'kysely';
import { createTaskRouters, type TaskRouterOptions } from '../../../src/api/tasks/index.ts';
import type { World } from '../../temporal/support.ts';
import { expectDocumented } from '../support.ts';

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  body: any;
}

/** The task routers, and a function that calls them. */
export function taskApi(world: World, change: Partial<TaskRouterOptions> = {}) {
  const { client, db, taskQueue } = world;
  const app = createTaskRouters({ client, db, taskQueue, ...change });
  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await app.request(path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const sent = new Headers(response.headers);
    sent.set('x-request-id', 'added by middleware of the whole app');
    expectDocumented({ method, path: `/v1/tasks${path}`, status: response.status, headers: sent, body: text });
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text } as Answer;
  }
  const lines = (path: string, body: string) => call('POST', path, body, { 'content-type': 'application/x-ndjson' });
  return { app, call, lines };
}

/** Number of staged items of all tasks. */
export async function stagedRows(world: World): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from reembed.staged_items`.execute(world.db);
  return rows[0]?.n ?? -1;
}
