import type { Command } from 'commander';
import type { JobInfo, JobRun } from '../../client/client.ts';
import { examples, json } from '../arguments.ts';
import { UsageError } from '../errors.ts';
import { type Io, table, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { followTask, writeAccepted } from '../task-output.ts';

interface RunOptions extends RemoteOptions {
  input?: unknown;
  options?: unknown;
  taskId?: string;
  at?: string;
  delay?: string;
  queue?: string;
  wait?: boolean;
}

/** Adds `reembed jobs …`. */
export function addJobCommands(program: Command, io: Io): void {
  const group = program
    .command('jobs')
    .summary('list and run jobs')
    .description(
      'Lists and runs jobs: your own functions, run as durable tasks. Use `reembed tasks` to follow and control them.',
    );

  remote(group.command('list'))
    .summary('list jobs')
    .description('Lists the jobs that the API knows; the API must be started with --tasks.')
    .addHelpText('after', examples('reembed jobs list', 'reembed jobs list --json'))
    .action(async (options: RemoteOptions) => {
      const list = await clientFrom(io, options).jobs.list();
      const nothing = list.known
        ? 'no jobs'
        : 'the API was started without --tasks: it has no list of jobs, but runs any name';
      writeResult(io, options.json, list, () =>
        table(
          list.jobs,
          [
            { title: 'JOB', value: (row) => row.name },
            { title: 'INPUT', value: inputText },
            { title: 'OPTIONS', value: optionsText },
            { title: 'DESCRIPTION', value: (row) => row.description },
          ],
          nothing,
        ),
      );
    });

  remote(group.command('run <job>'))
    .summary('run a job')
    .description('Runs a job. With --wait, follows it to its end and reports the result.')
    .option('--input <json>', 'input of the job', json)
    .option('--task-id <id>', 'id of the run; the same id with the same input is the same run')
    .option('--at <time>', 'earliest time to run, such as 2026-01-31T12:00:00Z')
    .option('--delay <time>', 'delay before it runs, such as 90s or 2d')
    .option('--queue <queue>', 'queue whose workers run it')
    .option('--options <json>', 'more options, for instance {"timeout": "5m", "maxAttempts": 1}', json)
    .option('--wait', 'follow it to its end')
    .addHelpText(
      'after',
      examples(
        `reembed jobs run send-mail --input '{"to":"a@example.com"}' --wait`,
        'reembed jobs run cleanup --delay 2d',
      ),
    )
    .action(async (job: string, options: RunOptions) => {
      const client = clientFrom(io, options);
      const tracker = await client.jobs.run(job, requestOf(options));
      if (tracker.status === 'ignored')
        return writeResult(io, options.json, tracker, () => `ignored: ${tracker.detail}`);
      if (!options.wait) return writeAccepted(io, options.json, tracker);
      if (!options.json) io.err(`task ${tracker.id}\n`);
      await followTask(io, client, tracker.id, { json: options.json });
    });
}

function requestOf({ input, options = {}, taskId, at, delay, queue }: RunOptions): JobRun {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new UsageError('--options must be a JSON object');
  }
  const single = Object.entries({ input, taskId, at, delay, queue }).filter(([, value]) => value !== undefined);
  return { ...options, ...Object.fromEntries(single) };
}

/** Lists the fields of an input. */
function inputText({ inputSchema }: JobInfo): string {
  if (inputSchema === null) return '-';
  const { properties } = inputSchema as { properties?: object };
  return properties ? Object.keys(properties).join(', ') : 'any';
}

function optionsText({ options, byInput }: JobInfo): string {
  const shown = Object.entries(options).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [...shown, ...byInput.map((name) => `${name} by input`)].join(' ');
}
