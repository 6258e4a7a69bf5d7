import { type Command, InvalidArgumentError } from 'commander';
import type { Decision } from '../../contract/approval.ts';
import type { LiveWrites } from '../../contract/live-writes.ts';
import { anyNumber, examples, wholeNumber } from '../arguments.ts';
import { fields, type Io, oneLine, writeResult } from '../output.ts';
import { paintIf } from '../paint.ts';
import { readsText } from '../reads-text.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { type FilterOptions, filtered, filterOf } from '../task-filter.ts';
import { taskTable, writeTracker } from '../task-output.ts';
import { addReadsCommand, findReads } from './reads.ts';
import { addRollBackCommand } from './roll-back.ts';
import { addSteerCommands } from './steer.ts';
import { addWatchCommand } from './watch.ts';

interface ListOptions extends FilterOptions {
  limit?: number;
  cursor?: string;
}

/** Adds `reembed tasks …`. */
export function addTaskCommands(program: Command, io: Io): void {
  const group = program
    .command('tasks')
    .summary('list, follow and control tasks')
    .description('Manages tasks: writes, reindexes and jobs, which run as Temporal workflows.');

  filtered(remote(group.command('list')))
    .summary('list tasks')
    .description('Lists tasks, newest first.')
    .option('--limit <count>', 'maximum tasks', wholeNumber)
    .option('--cursor <cursor>', 'cursor of the next page')
    .addHelpText(
      'after',
      examples('reembed tasks list --status processing', 'reembed tasks list --type reindex --json'),
    )
    .action(async (options: ListOptions) => {
      const { limit, cursor } = options;
      const list = await clientFrom(io, options).tasks.page({ ...filterOf(options), limit, cursor });
      writeResult(io, options.json, list, () => {
        const rows = taskTable(list.tasks, paintIf(io.colours?.out));
        return list.cursor ? `${rows}\n\n${list.total} in total; next page: --cursor ${list.cursor}` : rows;
      });
    });

  filtered(remote(group.command('counts')))
    .summary('count tasks by status')
    .description('Counts tasks, in total and by status.')
    .addHelpText('after', examples('reembed tasks counts --index docs', 'reembed tasks counts --since 24h --json'))
    .action(async (options: FilterOptions) => {
      const counts = await clientFrom(io, options).tasks.counts(filterOf(options));
      writeResult(io, options.json, counts, () => {
        const some = Object.entries(counts.byStatus).filter(([, count]) => count > 0);
        return fields([...some, ['total', counts.total]]);
      });
    });

  remote(group.command('info <task>'))
    .summary('show a task')
    .description('Shows all details of a task.')
    .addHelpText('after', examples('reembed tasks info my-task'))
    .action(async (taskId: string, options: RemoteOptions) => {
      const client = clientFrom(io, options);
      const tracker = await client.tasks.info(taskId);
      writeTracker(io, options.json, tracker);
      if (options.json || !tracker.data.reads) return;
      const reads = await findReads(client, taskId);
      if (reads) io.out(`${readsText(reads)}\n`);
    });

  remote(group.command('live-writes <task>'))
    .summary('count what users write while a reindex runs')
    .description(
      'Counts the objects that users have written and deleted in the source of a reindex since its attempt began, and ' +
        'how many of them the new index has.',
    )
    .addHelpText('after', examples('reembed tasks live-writes my-task'))
    .action(async (taskId: string, options: RemoteOptions) => {
      const counts = await clientFrom(io, options).tasks.liveWrites(taskId);
      writeResult(io, options.json, counts, () => liveWritesText(counts));
    });

  remote(group.command('input <task>'))
    .summary('show what a task was started with')
    .description(
      'Prints the body of the call that started the last run of a task, as JSON; of a job: name, input and options.',
    )
    .addHelpText('after', examples('reembed tasks input my-task'))
    .action(async (taskId: string, options: RemoteOptions) => {
      const found = await clientFrom(io, options).tasks.input(taskId);
      writeResult(io, options.json, found, () => JSON.stringify(found.input, null, 2));
    });

  addSteerCommands(group, io);

  remote(group.command('throttle'))
    .argument('<task>')
    .argument('<rate>', 'objects per second, or none for no limit', limitOf)
    .summary('limit the rate of a reindex')
    .description('Sets the maximum number of objects that a reindex copies per second.')
    .addHelpText('after', examples('reembed tasks throttle my-task 500', 'reembed tasks throttle my-task none'))
    .action(async (taskId: string, rate: number | null, options: RemoteOptions) => {
      writeTracker(io, options.json, await clientFrom(io, options).tasks.throttle(taskId, rate));
    });

  addReadsCommand(group, io);
  remote(group.command('budget <task>'))
    .summary('set the budget of a reindex')
    .description(
      'Sets how much a reindex may use of its model; limits that are not given stay. A reindex that has paused because ' +
        'its budget was used up is resumed.',
    )
    .option('--usd <dollars>', 'US dollars, or none for no limit', limitOf)
    .option('--tokens <count>', 'tokens, or none for no limit', limitOf)
    .option('--calls <count>', 'calls of the model, or none for no limit', limitOf)
    .addHelpText(
      'after',
      examples('reembed tasks budget my-task --usd 50', 'reembed tasks budget my-task --tokens none'),
    )
    .action(async (taskId: string, { usd, tokens, calls, ...options }: RemoteOptions & BudgetOptions) => {
      writeTracker(io, options.json, await clientFrom(io, options).tasks.budget(taskId, { usd, tokens, calls }));
    });

  addDecision(group, io, 'approve', 'Switches the alias of a reindex that waits for an approval.');
  addDecision(group, io, 'reject', 'Ends a reindex that waits for an approval. Its source continues to serve.');

  addRollBackCommand(group, io);

  addWatchCommand(group, io);

  remote(group.command('failed-items <task>'))
    .summary('list the failed items of a task')
    .description(
      'Lists the objects that a task, or source~NAME, could not write, with stage and reason. With --json, one per line.',
    )
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

function liveWritesText({ since, written, deleted, arrived, isMore }: LiveWrites): string {
  if (since === null) return 'the reindex does not run';
  const more = isMore ? ', and more' : '';
  return `${written} written, ${deleted} deleted since ${since}${more}; ${arrived} of them are in the new index`;
}

function addDecision(group: Command, io: Io, kind: Decision, description: string): void {
  remote(group.command(`${kind} <task>`))
    .summary(`${kind} the switch of a reindex`)
    .description(description)
    .option('--reason <text>', 'reason stored with the task')
    .addHelpText('after', examples(`reembed tasks ${kind} my-task --reason "compared on the support queries"`))
    .action(async (taskId: string, options: RemoteOptions & { reason?: string }) => {
      writeTracker(io, options.json, await clientFrom(io, options).tasks[kind](taskId, options.reason));
    });
}

interface BudgetOptions {
  usd?: number | null;
  tokens?: number | null;
  calls?: number | null;
}

function limitOf(text: string): number | null {
  if (text === 'none') return null;
  const limit = anyNumber(text);
  if (limit <= 0) throw new InvalidArgumentError('It must be above 0, or none.');
  return limit;
}
