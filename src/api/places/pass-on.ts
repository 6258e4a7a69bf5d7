import type { Client } from '@temporalio/client';
import type { Context, MiddlewareHandler } from 'hono';
import { MAIN_DATABASE, type NameKind } from '../../contract/databases.ts';
import type { Json } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/objects.ts';
import { queueOfTask } from '../../temporal/tasks/read.ts';
import type { Named, Place, Places } from './places.ts';

/** Serves the requests for one database. */
export type PlaceApp = { fetch(request: Request, env: object): Response | Promise<Response> };

/** Passes requests on to the app of their database; without it, the app that has them serves them. */
export interface Passing {
  places: Places;
  appOf(place: Place): PlaceApp;
}

/** What the app of a database gets of the app that passes a request on. */
interface Passed {
  from: Context;
  /** The parsed body, if it has been read. */
  body?: { value: Json };
}

const PASSED = Symbol('passed');

/** Returns what the app that passed the request on has found out; undefined in that app itself. */
export function passedOn(c: Context): Passed | undefined {
  return (c.env as { [PASSED]?: Passed } | undefined)?.[PASSED];
}

const SHARED = ['requestId', 'caller', 'role', 'mayStill', 'bodyBytes'] as const;

/** Gives the app of a database what the middleware of the other app has found out. */
export const takeOver: MiddlewareHandler = async (c, next) => {
  const { from } = passedOn(c) as Passed;
  for (const name of SHARED) {
    const value = from.get(name);
    if (value !== undefined) c.set(name, value as never);
  }
  await next();
  const taskId = c.get('taskId');
  if (taskId !== undefined) from.set('taskId', taskId);
};

/** Passes a request on; undefined if this app serves its database. */
export async function passTo(c: Context, { appOf }: Passing, place: Place, body?: Json): Promise<Response | undefined> {
  if (place.name === MAIN_DATABASE) return undefined;
  const passed: Passed = { from: c, ...(body !== undefined && { body: { value: body } }) };
  return appOf(place).fetch(c.req.raw, { ...c.env, [PASSED]: passed });
}

/** What the body of a request says about its database. */
export interface Placed {
  named: readonly Named[];
  database?: string;
}

/** Passes a request on whose body has been read; undefined if this app serves its database. Errors: those of `agree`. */
export async function passByBody(
  c: Context,
  body: Json,
  placedBy: (fields: Readonly<Record<string, Json>>, c: Context) => Placed,
): Promise<Response | undefined> {
  const passing: Passing | undefined = c.get('passing');
  if (!passing || !isJsonObject(body)) return undefined;
  const { named, database } = placedBy(body, c);
  return passTo(c, passing, await passing.places.agree(named, database), body);
}

/** Returns what some fields of a body name. Values that are no text are left to the checks of the body. */
export function namedBy(kind: NameKind, fields: Readonly<Record<string, Json | undefined>>): Named[] {
  return Object.entries(fields).flatMap(([field, name]) => (typeof name === 'string' ? [{ kind, name, field }] : []));
}

/** Collections below `/v1` whose items have names of a kind. `PUT` of an item is passed on by its body. */
const NAMED: Readonly<Record<string, NameKind>> = {
  indexes: 'index',
  aliases: 'index',
  sources: 'source',
  'query-sets': 'query-set',
};

/** Calls below `/v1/tasks` that read the database of their task. */
const OF_TASKS = new Set(['failed-items', 'results', 'evaluation', 'reads', 'live-writes', 'roll-back', 'budget']);

/** Passes requests on whose database follows from their path or their task. */
export function passByPath(passing: Passing, client: Client): MiddlewareHandler {
  const { places } = passing;
  return async (c, next) => {
    const [, , collection = '', ...rest] = c.req.path.split('/');
    const kind = NAMED[collection];
    if (kind !== undefined && rest[0] !== undefined && rest[0] !== '') {
      const isItem = rest.length === 1 || (collection === 'query-sets' && rest[1] === 'sampled');
      if (c.req.method === 'PUT' && isItem) return next();
      const place = await places.of(kind, decoded(rest[0]));
      return (await passTo(c, passing, place)) ?? next();
    }
    if (collection === 'tasks' && OF_TASKS.has(rest.at(-1) ?? '')) {
      const taskId = idOf(c);
      const queue = taskId === undefined ? undefined : await queueOfTask(client, taskId);
      if (queue !== undefined) return (await passTo(c, passing, places.ofQueue(queue))) ?? next();
    }
    return next();
  };
}

/** A name that cannot be decoded is refused where it is checked. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The other parts of the query are checked by the route. */
function idOf(c: Context): string | undefined {
  return c.req.query('taskId') ?? c.req.query('task_id');
}
