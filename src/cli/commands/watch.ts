import { clearScreenDown, moveCursor } from 'node:readline';
import type { Command } from 'commander';
import type { ReembedClient, TaskFilter, TaskList, TaskRow } from '../../client/http/client.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { examples, wholeNumber } from '../arguments.ts';
import { EXIT, Exit, UsageError } from '../errors.ts';
import { type Io, jsonLine, oneLine } from '../output.ts';
import { paintIf } from '../paint.ts';
import { clientFrom, remote } from '../remote.ts';
import { type FilterOptions, filtered, filterOf } from '../task-filter.ts';
import { followTask, taskTable } from '../task-output.ts';

const MOST_SHOWN = 20;

/** `reembed tasks watch` */
export function addWatchCommand(group: Command, io: Io): void {
  filtered(remote(group.command('watch [task]')))
    .summary('follow a task to its end, or all tasks')
    .description(
      'Follows a task to its end or, when none is named, shows the newest tasks as they go on. Ctrl-C only stops looking. With ' +
        '--json, one line for each change.',
    )
    .option('--limit <count>', `most tasks shown (${MOST_SHOWN})`, wholeNumber)
    .addHelpText('after', examples('reembed tasks watch my-task', 'reembed tasks watch --type reindex'))
    .action(async (taskId: string | undefined, options: FilterOptions & { limit?: number }) => {
      const client = clientFrom(io, options);
      const filter = filterOf(options);
      if (taskId === undefined) {
        await watchTasks(io, client, { ...filter, limit: options.limit ?? MOST_SHOWN }, options.json);
        return;
      }
      if (Object.values({ ...filter, limit: options.limit }).some((value) => value !== undefined)) {
        throw new UsageError('name a task, or give conditions for a list of them');
      }
      const each = (tracker: Tracker) => io.out(`${jsonLine(tracker)}\n`);
      await followTask(io, client, taskId, options.json ? { json: true, each } : {});
    });
}

/** Shows a page of tasks at each change until Ctrl-C. @throws Exit with 130 then */
async function watchTasks(
  io: Io,
  client: ReembedClient,
  filter: TaskFilter & { limit: number },
  json: boolean | undefined,
): Promise<void> {
  const controller = new AbortController();
  const release = io.onInterrupt(() => controller.abort());
  const show = json
    ? (page: TaskList) => io.out(`${jsonLine(page)}\n`)
    : io.terminal
      ? redrawn(io, io.terminal)
      : changedLines(io);
  try {
    for await (const page of client.tasks.watchPage(filter, { signal: controller.signal })) show(page);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  } finally {
    release();
  }
  throw new Exit(EXIT.interrupted);
}

/** The table in place of the one before; a line that is too long is cut by the terminal, so that it stays one line. */
function redrawn(io: Io, terminal: NodeJS.WriteStream): (page: TaskList) => void {
  const [cutLines, wrapLines] = ['\u001b[?7l', '\u001b[?7h'];
  let drawn = 0;
  return ({ tasks }) => {
    const text = taskTable(tasks, paintIf(io.colours?.err));
    if (drawn > 0) moveCursor(terminal, 0, -drawn);
    clearScreenDown(terminal);
    terminal.write(`${cutLines}${text}\n${wrapLines}`);
    drawn = text.split('\n').length;
  };
}

/** A line for each task that has another status or another count than before. */
function changedLines(io: Io): (page: TaskList) => void {
  const seen = new Map<string, string>();
  const paint = paintIf(io.colours?.out);
  const lineOf = ({ id, type, status, progress }: TaskRow) =>
    `${oneLine(id)}  ${type}  ${paint.status(status, status)}${progress ? `  ${progress.done}/${progress.total}` : ''}`;
  return ({ tasks }) => {
    // Oldest first, as they would come in a log.
    for (const task of tasks.toReversed()) {
      const line = lineOf(task);
      if (seen.get(task.id) !== line) io.out(`${line}\n`);
      seen.set(task.id, line);
    }
  };
}
