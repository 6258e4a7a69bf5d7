import { clearScreenDown, moveCursor } from 'node:readline';
import type { Command } from 'commander';
import type { ReembedClient, TaskFilter, TaskList, TaskRow } from '../../client/client.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { examples, wholeNumber } from '../arguments.ts';
import { EXIT, Exit, UsageError } from '../errors.ts';
import { type Io, jsonLine, oneLine } from '../output.ts';
import { paintIf } from '../paint.ts';
import { DEFAULT_COLUMNS } from '../progress.ts';
import { clientFrom, remote } from '../remote.ts';
import { type FilterOptions, filtered, filterOf } from '../task-filter.ts';
import { followTask } from '../task-output.ts';
import { watchTable } from '../watch-table.ts';

const MAX_SHOWN = 20;

/** Adds `reembed tasks watch`. */
export function addWatchCommand(group: Command, io: Io): void {
  filtered(remote(group.command('watch [task]')))
    .summary('follow one task, or the newest tasks')
    .description(
      'Follows a task to its end or, without a task, shows the newest tasks as they change. Ctrl-C only stops ' +
        'following. With --json, prints one line for each change.',
    )
    .option('--limit <count>', `maximum tasks shown (default: ${MAX_SHOWN})`, wholeNumber)
    .addHelpText('after', examples('reembed tasks watch my-task', 'reembed tasks watch --type reindex'))
    .action(async (taskId: string | undefined, options: FilterOptions & { limit?: number }) => {
      const client = clientFrom(io, options);
      const filter = filterOf(options);
      if (taskId === undefined) {
        await watchTasks(io, client, { ...filter, limit: options.limit ?? MAX_SHOWN }, options.json);
        return;
      }
      if (Object.values({ ...filter, limit: options.limit }).some((value) => value !== undefined)) {
        throw new UsageError('name a task, or use conditions for a list of tasks');
      }
      const each = (tracker: Tracker) => io.out(`${jsonLine(tracker)}\n`);
      await followTask(io, client, taskId, options.json ? { json: true, each } : {});
    });
}

/** Shows a page of tasks at each change until Ctrl-C. @throws Exit with 130 at Ctrl-C */
async function watchTasks(
  io: Io,
  client: ReembedClient,
  filter: TaskFilter & { limit: number },
  json: boolean | undefined,
): Promise<void> {
  const controller = new AbortController();
  const release = io.onInterrupt(() => controller.abort());
  const follow = async (of: TaskFilter & { limit: number }, show: (page: TaskList) => void) => {
    for await (const page of client.tasks.watchPage(of, { signal: controller.signal })) show(page);
  };
  try {
    if (json) await follow(filter, (page) => io.out(`${jsonLine(page)}\n`));
    else if (!io.terminal) await follow(filter, changedLines(io));
    else await followBoth(filter, follow, redrawn(io, io.terminal));
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  } finally {
    release();
  }
  throw new Exit(EXIT.interrupted);
}

type Follow = (of: TaskFilter & { limit: number }, show: (page: TaskList) => void) => Promise<void>;

/** Shows the newest tasks below those that have not ended, however old: what runs must not scroll away. */
async function followBoth(
  filter: TaskFilter & { limit: number },
  follow: Follow,
  draw: (tasks: readonly TaskRow[]) => void,
): Promise<void> {
  const isOfAll = filter.status === undefined && filter.open === undefined;
  let newest: readonly TaskRow[] | undefined;
  let open: readonly TaskRow[] | undefined = isOfAll ? undefined : [];
  const show = () => {
    if (!newest || !open) return;
    const listed = new Map(newest.map((task) => [task.id, task]));
    // The newest tasks are the fresher list of the two.
    const older = open.filter(({ id }) => !listed.has(id));
    draw([...older, ...newest].slice(0, Math.max(filter.limit, older.length)));
  };
  await Promise.all([
    follow(filter, ({ tasks }) => {
      newest = tasks;
      show();
    }),
    isOfAll
      ? follow({ ...filter, open: true }, ({ tasks }) => {
          open = tasks;
          show();
        })
      : undefined,
  ]);
}

/** Redraws the table in place; the terminal cuts long lines, so that each stays one line. */
function redrawn(io: Io, terminal: NodeJS.WriteStream): (tasks: readonly TaskRow[]) => void {
  const [cutLines, wrapLines] = ['\u001b[?7l', '\u001b[?7h'];
  let drawn = 0;
  return (tasks) => {
    const text = watchTable(tasks, { columns: terminal.columns || DEFAULT_COLUMNS, paint: paintIf(io.colours?.err) });
    if (drawn > 0) moveCursor(terminal, 0, -drawn);
    clearScreenDown(terminal);
    terminal.write(`${cutLines}${text}\n${wrapLines}`);
    drawn = text.split('\n').length;
  };
}

/** Prints a line for each task whose status or count has changed. */
function changedLines(io: Io): (page: TaskList) => void {
  const seen = new Map<string, string>();
  const paint = paintIf(io.colours?.out);
  const lineOf = ({ id, type, status, progress }: TaskRow) =>
    `${oneLine(id)}  ${type}  ${paint.status(status, status)}${progress ? `  ${progress.done}/${progress.total}` : ''}`;
  return ({ tasks }) => {
    // Oldest first, as in a log.
    for (const task of tasks.toReversed()) {
      const line = lineOf(task);
      if (seen.get(task.id) !== line) io.out(`${line}\n`);
      seen.set(task.id, line);
    }
  };
}
