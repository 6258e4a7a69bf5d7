import { type Command, InvalidArgumentError, Option } from 'commander';
import type { TaskFilter } from '../../client/http/client.ts';
import { TASK_STATUSES, type TaskStatus } from '../../contract/status.ts';
import { TASK_TYPES, type TaskType, type Tracker } from '../../contract/tasks.ts';
import { anyNumber, examples, moment, wholeNumber } from '../arguments.ts';
import { fields, type Io, table, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { followTask, writeTracker } from '../task-output.ts';
import { addSteerCommands } from './steer.ts';

interface FilterOptions extends RemoteOptions {
  type?: TaskType;
  status?: TaskStatus;
  index?: string;
  parent?: string;
  since?: Date;
  until?: Date;
}

interface ListOptions extends FilterOptions {
  limit?: number;
  cursor?: string;
}

/** `reembed tasks …` */
export function addTaskCommands(program: Command, io: Io): void {
  const group = program
    .command('tasks')
    .summary('list, follow and steer tasks')
    .description('Tasks: the writes and reindexes, which run as workflows on Temporal.');

  filtered(remote(group.command('list')))
    .summary('list tasks')
    .description('Lists tasks, newest first.')
    .option('--limit <count>', 'most tasks', wholeNumber)
    .option('--cursor <cursor>', 'go on after an earlier page')
    .addHelpText(
      'after',
      examples('reembed tasks list --status processing', 'reembed tasks list --type reindex --json'),
    )
    .action(async (options: ListOptions) => {
      const { limit, cursor } = options;
      const list = await clientFrom(io, options).tasks.page({ ...filterOf(options), limit, cursor });
      writeResult(io, options.json, list, () => {
        const rows = table(
          list.tasks,
          [
            { title: 'TASK', value: (row) => row.id },
            { title: 'TYPE', value: (row) => row.type },
            { title: 'STATUS', value: (row) => row.status },
            { title: 'DONE', value: ({ progress }) => progress && `${progress.done}/${progress.total}`, right: true },
            { title: 'FAILED', value: ({ progress }) => progress?.failed, right: true },
            { title: 'CREATED', value: (row) => row.createTime },
            { title: 'DETAIL', value: (row) => row.detail?.slice(0, 60) },
          ],
          'no tasks',
        );
        return list.cursor ? `${rows}\n\n${list.total} in all; the next ones: --cursor ${list.cursor}` : rows;
      });
    });

  filtered(remote(group.command('counts')))
    .summary('count tasks by status')
    .description('Counts tasks, in all and by status.')
    .addHelpText('after', examples('reembed tasks counts --index docs', 'reembed tasks counts --since 24h --json'))
    .action(async (options: FilterOptions) => {
      const counts = await clientFrom(io, options).tasks.counts(filterOf(options));
      writeResult(io, options.json, counts, () => {
        const some = Object.entries(counts.byStatus).filter(([, count]) => count > 0);
        return fields([...some, ['total', counts.total]]);
      });
    });

  remote(group.command('info <task>'))
    .summary('show all that is known of a task')
    .description('Shows all that is known of a task.')
    .addHelpText('after', examples('reembed tasks info my-task'))
    .action(async (taskId: string, options: RemoteOptions) => {
      writeTracker(io, options.json, await clientFrom(io, options).tasks.info(taskId));
    });

  addSteerCommands(group, io);

  remote(group.command('throttle'))
    .argument('<task>')
    .argument('<rate>', 'objects in a second, or none for no limit', rateOf)
    .summary('set how fast a reindex copies')
    .description('Sets how many objects a reindex copies in a second at most.')
    .addHelpText('after', examples('reembed tasks throttle my-task 500', 'reembed tasks throttle my-task none'))
    .action(async (taskId: string, rate: number | null, options: RemoteOptions) => {
      writeTracker(io, options.json, await clientFrom(io, options).tasks.throttle(taskId, rate));
    });

  remote(group.command('watch <task>'))
    .summary('follow a task to its end')
    .description('Follows a task to its end. Ctrl-C only stops looking. With --json, one line for each change.')
    .addHelpText('after', examples('reembed tasks watch my-task'))
    .action(async (taskId: string, options: RemoteOptions) => {
      const each = (tracker: Tracker) => io.out(`${JSON.stringify(tracker)}\n`);
      await followTask(io, clientFrom(io, options), taskId, options.json ? { json: true, each } : {});
    });

  remote(group.command('failed-items <task>'))
    .summary('list what a task could not write')
    .description('Lists the objects that a task could not write, with stage and reason. With --json, one to a line.')
    .addHelpText('after', examples('reembed tasks failed-items my-task'))
    .action(async (taskId: string, options: RemoteOptions) => {
      let count = 0;
      for await (const item of clientFrom(io, options).tasks.failedItems(taskId)) {
        count++;
        writeResult(io, options.json, item, () => `${item.objectId}  ${item.stage}  ${item.reason}  ${item.detail}`);
      }
      if (count === 0 && !options.json) io.out('no failed items\n');
    });
}

function filtered(command: Command): Command {
  return command
    .addOption(new Option('--type <type>', 'only tasks of this type').choices(TASK_TYPES))
    .addOption(new Option('--status <status>', 'only tasks with this status').choices(TASK_STATUSES))
    .option('--index <index>', 'only tasks of this index')
    .option('--parent <id>', 'only the parts of this task')
    .option('--since <time>', 'only tasks created then or later: a moment, or an age such as 24h', moment)
    .option('--until <time>', 'only tasks created before then', moment);
}

function filterOf({ type, status, index, parent, since, until }: FilterOptions): TaskFilter {
  return { type, status, index, parentId: parent, createdAfter: since, createdBefore: until };
}

function rateOf(text: string): number | null {
  if (text === 'none') return null;
  const rate = anyNumber(text);
  if (rate <= 0) throw new InvalidArgumentError('It must be above 0, or none.');
  return rate;
}
