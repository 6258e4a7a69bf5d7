import type { HttpBindings } from '@hono/node-server';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Role } from '../contract/roles.ts';
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

/** A router whose routes are described for OpenAPI and refuse bad input with a problem. */
export function createRouter(): OpenAPIHono<ApiEnv> {
  return new OpenAPIHono<ApiEnv>({ defaultHook: validationHook });
}
