import { type Command, InvalidArgumentError, Option } from 'commander';
import type { WorkerRole } from '../../runtime/processes/start-workers.ts';
import { examples, several } from '../arguments.ts';
import { UsageError } from '../errors.ts';
import { fields, type Io, writeResult } from '../output.ts';
import { runUntilStopped, settingsFrom } from '../run-process.ts';

const TASKS_HELP = 'module or folder that defines jobs; repeatable (REEMBED_TASKS)';
const PRUNE_HELP = 'remove schedules that the job definitions no longer declare';

interface DevCommandOptions {
  tour?: boolean;
  port?: string;
  temporalPort?: number;
  dataDir?: string;
  tasks?: string[];
  pruneSchedules?: boolean;
  json?: boolean;
}

interface WorkerCommandOptions {
  role: WorkerRole;
  database?: string[];
  tasks?: string[];
  queue?: string[];
  queueRate?: Record<string, number>;
  pruneSchedules?: boolean;
}

function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('It must be a port from 1 to 65535.');
}

/** Parses a repeatable option such as `mail=10`. */
function rates(text: string, before: Record<string, number> = {}): Record<string, number> {
  const [, queue = '', rate = ''] = /^([\w.-]+)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (!(Number(rate) > 0)) throw new InvalidArgumentError('It must be a queue name, =, and a number above 0.');
  return { ...before, [queue]: Number(rate) };
}

/** Adds the commands that run servers. */
export function addProcessCommands(program: Command, io: Io): void {
  program
    .command('dev')
    .summary('run everything on this machine')
    .description(
      'Runs everything with one command: a Temporal server with its web UI, a database, workers and the API. All ' +
        'data is in one folder. If a port is in use, the next free one is used. Ctrl-C stops it; the next start continues.',
    )
    .option('--tour', 'show what reembed does after startup')
    .option('--port <port>', 'port of the API (REEMBED_PORT)')
    .option('--temporal-port <port>', 'port of Temporal, or the next free port (default: 7233)', port)
    .option('--data-dir <folder>', 'folder for all data (REEMBED_DATA_DIR)')
    .option('--tasks <path>', TASKS_HELP, several)
    .option('--prune-schedules', PRUNE_HELP)
    .option('--json', 'print the addresses as JSON')
    .addHelpText(
      'after',
      examples('reembed dev', 'reembed dev --port 8000 --data-dir /var/lib/reembed', 'reembed dev --tasks ./tasks'),
    )
    .action(async (options: DevCommandOptions) => {
      // Request logs would be noise for someone who tries things out.
      const logLevel = io.env.REEMBED_LOG_LEVEL ?? 'warn';
      const settings = settingsFrom(io, {
        REEMBED_PORT: options.port,
        REEMBED_DATA_DIR: options.dataDir,
        REEMBED_TASKS: options.tasks?.join(),
        REEMBED_LOG_LEVEL: logLevel,
      });
      const { runDev } = await import('../../runtime/processes/dev.ts');
      await runUntilStopped(io, settings, (context) =>
        runDev(
          settings,
          {
            tour: options.tour === true,
            pruneSchedules: options.pruneSchedules,
            temporalPort: options.temporalPort,
            onReady: (addresses) =>
              writeResult(io, options.json, addresses, () => {
                const { api, docs, temporalUi, temporal, namespace, dataDir } = addresses;
                const elsewhere = `To use it from another folder, run\n  ${addresses.export}`;
                const shown = fields([
                  ['Dashboard', api],
                  ['API reference', docs],
                  ['Temporal UI', temporalUi],
                  ['Temporal', `${temporal} (namespace ${namespace})`],
                  ['Data', dataDir],
                ]);
                return `\nreembed is ready\n\n${shown.replace(/^/gm, '  ')}\n\n${elsewhere}\n\nCtrl-C stops it.\n`;
              }),
          },
          context,
        ),
      );
    });

  program
    .command('worker')
    .summary('run workers')
    .description(
      'Runs workers for the Temporal server at TEMPORAL_ADDRESS and the database at DATABASE_URL. With --tasks they ' +
        'also run the jobs that these modules define; the role `jobs` runs only those and needs no database.',
    )
    .addOption(
      new Option(
        '--role <role>',
        'work of this process: `embed` loads, embeds and copies, `jobs` runs your jobs, `control` does the rest',
      )
        .choices(['all', 'control', 'embed', 'jobs'])
        .default('all'),
    )
    .option('--database <name>', 'database to serve; repeatable; default: all (REEMBED_WORKER_DATABASES)', several)
    .option('--tasks <path>', TASKS_HELP, several)
    .option('--queue <queue>', 'job queue to serve; repeatable; default: all queues that job definitions name', several)
    .option('--queue-rate <queue=rate>', 'maximum jobs started per second in a queue, over all its workers', rates)
    .option('--prune-schedules', PRUNE_HELP)
    .addHelpText(
      'after',
      examples(
        'reembed worker',
        'reembed worker --role embed',
        'reembed worker --database east --database west',
        'reembed worker --role jobs --tasks ./tasks --queue mail --queue-rate mail=10',
      ),
    )
    .action(async (options: WorkerCommandOptions) => {
      const { role, tasks, queue: queues, queueRate: ratePerSecond, pruneSchedules } = options;
      const settings = settingsFrom(io, {
        REEMBED_TASKS: tasks?.join(),
        REEMBED_WORKER_DATABASES: options.database?.join(),
      });
      if (settings.tasks.length === 0 && (queues || ratePerSecond || pruneSchedules)) {
        throw new UsageError('--queue, --queue-rate and --prune-schedules need --tasks');
      }
      const { runWorker } = await import('../../runtime/processes/worker.ts');
      const jobs = { queues, ratePerSecond, pruneSchedules };
      await runUntilStopped(io, settings, (context) => runWorker(settings, { role, ...jobs }, context));
    });

  program
    .command('api')
    .summary('run the HTTP API')
    .description(
      'Runs the HTTP API on REEMBED_HOST and REEMBED_PORT. An address other than loopback requires API tokens ' +
        '(REEMBED_API_TOKENS). With --tasks it lists these jobs, and checks names, inputs and options of each call.',
    )
    .option('--tasks <path>', TASKS_HELP, several)
    .option('--json', 'print the address as JSON')
    .addHelpText(
      'after',
      examples('reembed api', 'reembed api --tasks ./tasks', 'REEMBED_HOST=0.0.0.0 REEMBED_API_TOKENS=… reembed api'),
    )
    .action(async ({ tasks, json }: { tasks?: string[]; json?: boolean }) => {
      const settings = settingsFrom(io, { REEMBED_TASKS: tasks?.join() });
      const { runApi } = await import('../../runtime/processes/api.ts');
      await runUntilStopped(io, settings, (context) =>
        runApi(settings, (api) => writeResult(io, json, { api }, () => `the API listens at ${api}`), context),
      );
    });

  program
    .command('migrate')
    .summary('create or update the tables of the database')
    .description(
      'Updates the database at DATABASE_URL and those of REEMBED_DATABASES. Safe to run repeatedly and concurrently. With --distribute, the tables of ' +
        'all indexes are spread over the nodes of Citus: DATABASE_URL must name that of its coordinator, which has no index yet.',
    )
    .option('--distribute', 'spread the tables of indexes over the nodes of Citus, once')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      examples(
        'DATABASE_URL=postgres://me@localhost/reembed reembed migrate',
        'DATABASE_URL=postgres://me@coordinator/reembed reembed migrate --distribute',
      ),
    )
    .action(async ({ distribute = false, json }: { distribute?: boolean; json?: boolean }) => {
      const settings = settingsFrom(io);
      const { runMigrations } = await import('../../runtime/processes/migrate.ts');
      await runUntilStopped(io, settings, async (context) => {
        const { ran, distributed, others } = await runMigrations(settings, context, { toDistribute: distribute });
        const spread = distributed ? ', and its indexes will be spread over the nodes' : '';
        const lineOf = (migrations: string[], what: string) =>
          `${migrations.length === 0 ? '' : `ran ${migrations.join(', ')}: `}${what} is up to date`;
        const result = {
          migrations: ran,
          ...(distribute && { distributed }),
          ...(Object.keys(others).length > 0 && { databases: others }),
        };
        writeResult(io, json, result, () =>
          [
            `${lineOf(ran, 'the database')}${spread}`,
            ...Object.entries(others).map(([name, migrations]) => lineOf(migrations, `the database ${name}`)),
          ].join('\n'),
        );
      });
    });
}
