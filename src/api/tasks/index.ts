/** Task routes, as routers for any Hono app. */
export { acceptDeleteIndex, acceptItems, acceptReindex } from './accept-task.ts';
export type { AcceptDependencies, PlanOptions, TaskResponse, TaskRouterOptions } from './options.ts';
export { createTaskRouter, createTaskRouters } from './router.ts';
