import type { HttpBindings } from '@hono/node-server';
import { OpenAPIHono, type RouteConfig } from '@hono/zod-openapi';
import type { Env, MiddlewareHandler } from 'hono';
import type { Role } from '../contract/roles.ts';
import { checkedParameters } from './parameters.ts';
import { validationHook } from './problems.ts';

/** What handlers find: the socket, where the server is `@hono/node-server`, and what middleware leaves. */
export interface ApiEnv {
  Bindings: Partial<HttpBindings> | undefined;
  Variables: {
    requestId: string;
    /** The name of the token with which the caller came, if tokens are needed. */
    caller?: string;
    /** What that token may do. */
    role?: Role;
    /** Whether the token would still be let in now: asked by answers that go on for long. */
    mayStill?: () => boolean;
    /** The task that the call has started. */
    taskId?: string;
  };
}

/**
 * A router whose routes are described for OpenAPI and refuse bad input with a problem: bodies and parameters that do not
 * fit, and parameters that a route does not know.
 */
export function createRouter<E extends Env = ApiEnv>(): OpenAPIHono<E> {
  const router = new OpenAPIHono<E>({ defaultHook: validationHook });
  const { openapi } = router;
  const checked = (route: RouteConfig & { middleware?: MiddlewareHandler[] | MiddlewareHandler }, ...rest: never[]) => {
    const middleware = [
      checkedParameters(namesOf(route.request?.query), route.path),
      ...[route.middleware ?? []].flat(),
    ];
    return (openapi as (...all: unknown[]) => unknown)({ ...route, middleware }, ...rest);
  };
  router.openapi = checked as typeof openapi;
  return router;
}

/** The names that a query schema has. */
export function namesOf(query: unknown): string[] {
  return Object.keys((query as { shape?: object } | undefined)?.shape ?? {});
}
