/** What a program of one's own needs to serve the calls about tasks itself. */
export type { Tracker } from '../contract/tasks.ts';
export { trackerSchema } from '../contract/tasks.ts';
export { type DatabaseOptions, type Db, openDatabase } from '../store/database.ts';
export { createTaskRouter, createTaskRouters, type TaskResponse, type TaskRouterOptions } from './tasks/index.ts';
