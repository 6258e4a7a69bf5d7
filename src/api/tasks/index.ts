/** The calls about tasks, as routers for any Hono app. */
export { type AcceptDependencies, acceptDeleteIndex, acceptItems, acceptReindex } from './accept.ts';
export type { TaskResponse } from './response.ts';
export { createTaskRouter, createTaskRouters, type TaskRouterOptions } from './router.ts';
