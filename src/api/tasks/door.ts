import type { MiddlewareHandler } from 'hono';
import { ReembedError } from '../../contract/errors.ts';
import { mayDo, type Role } from '../../contract/roles.ts';
import type { TaskType } from '../../contract/task-types.ts';
import { taskRouteAccess } from '../access.ts';

/**
 * Checks the role that `auth` found against the routes of a task router, whatever the app's table and the order of its
 * routes are. Without `auth` there is no role to check. Error: `Forbidden`.
 */
export function requireRole(type: TaskType | undefined): MiddlewareHandler {
  return async (c, next) => {
    const role = c.get('role') as Role | undefined;
    if (role === undefined) return next();
    const method = c.req.method === 'HEAD' ? 'GET' : c.req.method;
    const call = c.req.path.slice(c.req.path.lastIndexOf('/') + 1);
    const least = taskRouteAccess(`${method} /${call}`, type);
    if (least !== undefined && !mayDo(role, least)) {
      throw new ReembedError('Forbidden', `this needs the role ${least}; the token has ${role}`);
    }
    return next();
  };
}
