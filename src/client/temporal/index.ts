/**
 * Starts, reads and steers tasks through a Temporal client.
 * @module reembed/temporal
 */
export { encryptionCodec } from './encryption/codec.ts';
export { encryptedData } from './encryption/data-converter.ts';
export type { EncryptionKey } from './encryption/keys.ts';
export { countTasks, eachTask, listTasks, type TaskList, type TaskPage } from './list.ts';
export { type DescribedTask, describeTask, getTracker, readTask, type TaskView } from './read.ts';
export { restartTask } from './restart.ts';
export { rowOf, type TaskRow, trackerOfRow } from './rows.ts';
export { findSameTask, type StartableType, type StartedTask, type StartTaskOptions, startTask } from './start.ts';
export { type StatsRange, taskStats } from './stats.ts';
export { cancelTask, ignoreTask, pauseTask, resumeTask, throttleTask } from './steer.ts';
export type { TaskFilter } from './task-filter.ts';
export { awaitTask, waitForTask, watchTask } from './wait.ts';
