/**
 * Everything you need to mount the task routes in your own app.
 * @module reembed/api
 */
export type { ApiToken } from '../contract/api-tokens.ts';
export type { Role } from '../contract/roles.ts';
export type { Tracker } from '../contract/tasks.ts';
export { trackerSchema } from '../contract/tasks.ts';
export { readApiTokens } from '../settings/api-tokens.ts';
export { type DatabaseOptions, type Db, openDatabase } from '../store/database.ts';
export { type AccessTable, taskAccess } from './access.ts';
export { type AuthOptions, auth } from './middleware/auth.ts';
export { type HostOptions, requireHost } from './middleware/hosts.ts';
export { createTaskRouter, createTaskRouters, type TaskResponse, type TaskRouterOptions } from './tasks/index.ts';
