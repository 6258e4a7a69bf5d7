import type { HttpBindings } from '@hono/node-server';
import { OpenAPIHono, type RouteConfig } from '@hono/zod-openapi';
import type { Env, MiddlewareHandler } from 'hono';
import type { Role } from '../contract/roles.ts';
import { checkedParameters } from './parameters.ts';
import type { Passing } from './places/pass-on.ts';
import { validationHook } from './problems.ts';

/** Environment of the handlers: the socket, if the server is `@hono/node-server`, and variables set by middleware. */
export interface ApiEnv {
  Bindings: Partial<HttpBindings> | undefined;
  Variables: {
    requestId: string;
    /** Name of the caller's token, if tokens are required. */
    caller?: string;
    /** Role of that token. */
    role?: Role;
    /** Returns whether the token still grants access; checked by long answers. */
    mayStill?: () => boolean;
    /** Max bytes of the body, if it is not read line by line. */
    bodyBytes?: number;
    /** Passes requests on to the apps of other databases; absent in these. */
    passing?: Passing;
    /** Task that the call started. */
    taskId?: string;
  };
}

/**
 * Creates a router whose routes are described for OpenAPI and refuse bad input with a problem: invalid bodies and
 * parameters, and unknown parameters.
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

/** Returns the field names of a query schema. */
export function namesOf(query: unknown): string[] {
  return Object.keys((query as { shape?: object } | undefined)?.shape ?? {});
}
