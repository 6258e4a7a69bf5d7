/** Task routes, as routers for any Hono app. */
export { acceptDeleteIndex, acceptVectorIndex } from './accept-task.ts';
export type { PlanOptions, TaskResponse, TaskRouterOptions } from './options.ts';
export { createTaskRouter, createTaskRouters } from './router.ts';
