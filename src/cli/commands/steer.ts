import { createInterface } from 'node:readline/promises';
import { type Command, Option } from 'commander';
import type { ReembedClient, SteerFilter, SteerRequest, SteerResult } from '../../client/client.ts';
import { TASK_STATUSES, type TaskStatus } from '../../contract/status.ts';
import type { SteerAction } from '../../contract/steer-tasks.ts';
import { STEERABLE_TYPES } from '../../contract/task-types.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { examples, moment } from '../arguments.ts';
import { EXIT, Exit, UsageError } from '../errors.ts';
import { type Io, table, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { followTask, writeTracker } from '../task-output.ts';

interface SteerOptions extends RemoteOptions {
  reason?: string;
  force?: boolean;
  onlyFailed?: boolean;
  all?: boolean;
  type?: NonNullable<SteerFilter['types']>;
  status?: TaskStatus[];
  index?: string;
  parent?: string;
  open?: boolean;
  since?: Date;
  until?: Date;
  dryRun?: boolean;
  yes?: boolean;
}

interface Verb {
  action: SteerAction;
  /** Description for one task; also used for a filter. */
  description: string;
  call: (client: ReembedClient, taskId: string, options: SteerOptions) => Promise<Tracker>;
}

const VERBS: readonly Verb[] = [
  {
    action: 'cancel',
    description: 'Cancel a task; it ends soon and releases its locks.',
    call: (client, id, { reason }) => client.tasks.cancel(id, reason),
  },
  {
    action: 'restart',
    description: 'Run a task again: immediately if it waits, as a new run if it has ended.',
    call: (client, id, { force, onlyFailed }) => client.tasks.restart(id, { force, onlyFailed }),
  },
  {
    action: 'pause',
    description: 'Pause a task between two batches.',
    call: (client, id) => client.tasks.pause(id),
  },
  { action: 'resume', description: 'Resume a paused task.', call: (client, id) => client.tasks.resume(id) },
  {
    action: 'ignore',
    description: 'Ignore a task; it is not run again unless forced.',
    call: (client, id, { reason }) => client.tasks.ignore(id, reason),
  },
];

/** Adds `reembed tasks cancel`, `restart`, `pause`, `resume`, `ignore`, for one task or with `--all` for all matches. */
export function addSteerCommands(group: Command, io: Io): void {
  for (const verb of VERBS) {
    const { action, description } = verb;
    const command = remote(group.command(`${action} [task]`))
      .summary(description.toLowerCase().replace(/[.:;].*/s, ''))
      .description(
        `${description} With --all, do this to all tasks that match the conditions; at least one is required.`,
      );
    if (action === 'restart') {
      command
        .option('--force', 'also restart exhausted or ignored tasks')
        .option('--only-failed', 'for one task: only the items on its failed list');
    }
    if (action === 'cancel' || action === 'ignore') command.option('--reason <text>', 'reason stored with the task');
    command
      .option('--all', 'all tasks that match the conditions below')
      .addOption(new Option('--type <types...>', 'only tasks of these types').choices(STEERABLE_TYPES))
      .addOption(new Option('--status <statuses...>', 'only tasks with these statuses').choices(TASK_STATUSES))
      .option('--index <index>', 'only tasks of this index')
      .option('--parent <id>', 'only children of this task')
      .option('--open', 'only tasks that have not ended; with --status failed, those that are tried again')
      .option('--no-open', 'only tasks that have ended')
      .option('--since <time>', 'only tasks created at this time or later: a time, or an age such as 24h', moment)
      .option('--until <time>', 'only tasks created before this time', moment)
      .option('--dry-run', 'with --all: change nothing, show what would be done')
      .option('-y, --yes', 'with --all: do not ask for confirmation')
      .addHelpText(
        'after',
        examples(`reembed tasks ${action} my-task`, `reembed tasks ${action} --all ${EXAMPLES[action]}`),
      )
      .action(async (taskId: string | undefined, options: SteerOptions) => {
        const client = clientFrom(io, options);
        const filter = filterOf(options);
        if (taskId === undefined) {
          await steerAll(io, client, { action, filter, force: options.force, reason: options.reason }, options);
          return;
        }
        if (options.all || options.dryRun || Object.keys(filter).length > 0) {
          throw new UsageError('name one task, or use --all with conditions');
        }
        writeTracker(io, options.json, await verb.call(client, taskId, options));
      });
  }
}

const EXAMPLES: Record<SteerAction, string> = {
  cancel: '--type upsert --status waiting paused --dry-run',
  restart: '--status failed --since 24h',
  pause: '--type reindex',
  resume: '--status paused',
  ignore: '--status exhausted --index docs',
};

function filterOf({ type, status, index, parent, open, since, until }: SteerOptions): SteerFilter {
  return {
    ...(type && { types: type }),
    ...(status && { statuses: status }),
    ...(index !== undefined && { index }),
    ...(open !== undefined && { open }),
    ...(parent !== undefined && { parentId: parent }),
    ...(since && { createdAfter: since.toISOString() }),
    ...(until && { createdBefore: until.toISOString() }),
  };
}

/** Runs a bulk steering task; Ctrl-C only stops following it: the task continues. */
async function steerAll(io: Io, client: ReembedClient, body: SteerRequest, options: SteerOptions): Promise<void> {
  if (!options.all) throw new UsageError('name a task, or use --all with conditions');
  if (options.onlyFailed) throw new UsageError('--only-failed is for one task');
  if (Object.keys(body.filter).length === 0) {
    throw new UsageError('--all requires a condition: --type, --status, --index, --parent, --open, --since or --until');
  }
  if (options.dryRun) {
    await run(io, client, { ...body, dryRun: true }, options);
    return;
  }
  if (!options.yes && (await isRefused(io, client, body))) {
    io.err('nothing was changed\n');
    throw new Exit(EXIT.failed);
  }
  await run(io, client, body, options);
}

/** Asks for confirmation at a terminal, after a dry run; never asks a program. */
async function isRefused(io: Io, client: ReembedClient, body: SteerRequest): Promise<boolean> {
  if (io.terminal === null || !('isTTY' in io.stdin && io.stdin.isTTY)) return false;
  const { data } = await client.tasks.steerAll({ ...body, dryRun: true }, { wait: true });
  const outcomes = (data.outcomes ?? {}) as Record<string, number>;
  const asking = createInterface({ input: io.stdin, output: io.terminal });
  try {
    const count = outcomes[`would-${body.action}`] ?? 0;
    const answer = await asking.question(`${data.matched} tasks match. ${body.action} ${count} of them? [y/N] `);
    return !/^y(es)?$/i.test(answer.trim());
  } finally {
    asking.close();
  }
}

async function run(io: Io, client: ReembedClient, body: SteerRequest, { json }: SteerOptions): Promise<void> {
  const { id } = await client.tasks.steerAll(body);
  if (!json) io.err(`task ${id}\n`);
  let tracker: Tracker | undefined;
  const each = (next: Tracker) => {
    tracker = next;
  };
  await followTask(io, client, id, { each }).catch((error: unknown) => {
    if (!(error instanceof Exit) || tracker === undefined || error.code === EXIT.interrupted) throw error;
  });
  const results: SteerResult[] = [];
  for await (const result of client.tasks.steerResults(id)) results.push(result);
  writeResult(
    io,
    json,
    { task: tracker, results },
    () => `${resultTable(results)}\n\n${tracker?.status}: ${tracker?.detail}`,
  );
  if (tracker?.status !== 'done' || tracker.progress.failed > 0) throw new Exit(EXIT.failed);
}

function resultTable(results: readonly SteerResult[]): string {
  return table(
    results,
    [
      { title: 'TASK', value: ({ taskId }) => taskId },
      { title: 'TYPE', value: ({ type }) => type },
      { title: 'STATUS', value: ({ status }) => status },
      { title: 'OUTCOME', value: ({ outcome }) => outcome?.replace('-', ' ') },
      { title: 'WHY', value: ({ reason, detail }) => (reason ? `${reason}: ${detail}` : detail) },
    ],
    'no tasks match',
  );
}
