import { type Command, Option } from 'commander';
import type { TaskFilter } from '../client/client.ts';
import { TASK_STATUSES, type TaskStatus } from '../contract/status.ts';
import { TASK_TYPES, type TaskType } from '../contract/task-types.ts';
import { moment } from './arguments.ts';
import type { RemoteOptions } from './remote.ts';

export interface FilterOptions extends RemoteOptions {
  type?: TaskType;
  without?: TaskType;
  status?: TaskStatus;
  index?: string;
  parent?: string;
  open?: boolean;
  failedItems?: boolean;
  since?: Date;
  until?: Date;
}

/** Adds the options that filter tasks. */
export function filtered(command: Command): Command {
  return command
    .addOption(new Option('--type <type>', 'only tasks of this type').choices(TASK_TYPES))
    .addOption(new Option('--without <type>', 'no tasks of this type, such as steer').choices(TASK_TYPES))
    .addOption(new Option('--status <status>', 'only tasks with this status').choices(TASK_STATUSES))
    .option('--index <index>', 'only tasks of this index')
    .option('--parent <id>', 'only children of this task')
    .option('--open', 'only tasks that have not ended; with --status failed, those that are tried again')
    .option('--no-open', 'only tasks that have ended')
    .option('--failed-items', 'only tasks with items that they could not write')
    .option('--since <time>', 'only tasks created at this time or later: a time, or an age such as 24h', moment)
    .option('--until <time>', 'only tasks created before this time', moment);
}

export function filterOf({ parent, failedItems, since, until, ...options }: FilterOptions): TaskFilter {
  const { type, without, status, index, open } = options;
  const within = { createdAfter: since, createdBefore: until };
  return { type, without, status, index, parentId: parent, open, hasFailedItems: failedItems, ...within };
}
