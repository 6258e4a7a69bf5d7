import { type Command, InvalidArgumentError } from 'commander';
import { anyNumber, examples, wholeNumber } from '../arguments.ts';
import { fields, type Io, oneLine, writeResult } from '../output.ts';
import { paintIf } from '../paint.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { type FilterOptions, filtered, filterOf } from '../task-filter.ts';
import { taskTable, writeTracker } from '../task-output.ts';
import { addSteerCommands } from './steer.ts';
import { addWatchCommand } from './watch.ts';

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
        const rows = taskTable(list.tasks, paintIf(io.colours?.out));
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

  addWatchCommand(group, io);

  remote(group.command('failed-items <task>'))
    .summary('list what a task could not write')
    .description('Lists the objects that a task could not write, with stage and reason. With --json, one to a line.')
    .addHelpText('after', examples('reembed tasks failed-items my-task'))
    .action(async (taskId: string, options: RemoteOptions) => {
      let count = 0;
      for await (const item of clientFrom(io, options).tasks.failedItems(taskId)) {
        count++;
        writeResult(io, options.json, item, () =>
          oneLine(`${item.objectId}  ${item.stage}  ${item.reason}  ${item.detail}`),
        );
      }
      if (count === 0 && !options.json) io.out('no failed items\n');
    });
}

function rateOf(text: string): number | null {
  if (text === 'none') return null;
  const rate = anyNumber(text);
  if (rate <= 0) throw new InvalidArgumentError('It must be above 0, or none.');
  return rate;
}
