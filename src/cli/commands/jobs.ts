import type { Command } from 'commander';
import type { JobInfo, JobRun } from '../../client/http/client.ts';
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

/** `reembed jobs …` */
export function addJobCommands(program: Command, io: Io): void {
  const group = program
    .command('jobs')
    .summary('list and run jobs')
    .description("Jobs: the user's own functions, run as durable tasks. `reembed tasks` follows and steers them.");

  remote(group.command('list'))
    .summary('list the jobs that there are')
    .description('Lists the jobs that the API knows: it must have been started with --tasks.')
    .addHelpText('after', examples('reembed jobs list', 'reembed jobs list --json'))
    .action(async (options: RemoteOptions) => {
      const list = await clientFrom(io, options).jobs.list();
      const nothing = list.known ? 'no jobs' : 'the API was started without --tasks: it knows no jobs, but runs any';
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
    .description('Runs a job. With --wait, follows it to its end and tells how it ended.')
    .option('--input <json>', 'what it gets', json)
    .option('--task-id <id>', 'names the run: the same id with the same input is the same run')
    .option('--at <time>', 'when it runs, never before: 2026-01-31T12:00:00Z')
    .option('--delay <time>', 'how long it waits before it runs: 90s, 2d')
    .option('--queue <queue>', 'whose workers run it')
    .option('--options <json>', 'further options, for instance {"timeout": "5m", "maxAttempts": 1}', json)
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

/** The names of the fields of an input. */
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
