/**
 * Starts, reads and steers tasks through a Temporal client.
 * @module reembed/temporal
 */
export type { StartableType } from '../contract/task-types.ts';
export { encryptionCodec } from './encryption/codec.ts';
export { encryptedData } from './encryption/data-converter.ts';
export type { EncryptionKey } from './encryption/keys.ts';
export { countTasks, eachTask, listTasks, type TaskList, type TaskPage } from './lists/list.ts';
export type { TaskFilter } from './lists/query.ts';
export { type StatsRange, taskStats } from './lists/stats.ts';
export { retentionSeconds } from './retention.ts';
export { readTaskInput } from './tasks/input.ts';
export { rowOf, type TaskRow, trackerOfRow } from './tasks/list-row.ts';
export { type DescribedTask, describeTask, getTracker, readTask, type TaskView } from './tasks/read.ts';
export { restartTask } from './tasks/restart.ts';
export { askRollBack } from './tasks/roll-back.ts';
export { findSameTask, type StartedTask, startTask } from './tasks/start.ts';
export {
  cancelTask,
  decideTask,
  ignoreTask,
  pauseTask,
  resumeTask,
  setTaskReads,
  throttleTask,
} from './tasks/steer.ts';
export type { StartTaskOptions } from './tasks/task-options.ts';
export { awaitTask, waitForTask, watchTask } from './tasks/wait.ts';
