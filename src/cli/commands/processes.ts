import { type Command, Option } from 'commander';
import type { WorkerRole } from '../../runtime/processes/start-workers.ts';
import { examples } from '../arguments.ts';
import { fields, type Io, writeResult } from '../output.ts';
import { runUntilStopped, settingsFrom } from '../run-process.ts';

/** The commands that run servers. */
export function addProcessCommands(program: Command, io: Io): void {
  program
    .command('dev')
    .summary('run everything on this machine')
    .description(
      'Runs everything with one command: a Temporal server with its web UI, a database, workers and the API, all kept in ' +
        'one folder. A port that is taken means the next free one. Stop it with Ctrl-C; the next start goes on where it was.',
    )
    .option('--tour', 'show what reembed does, once it runs')
    .option('--port <port>', 'port of the API (REEMBED_PORT)')
    .option('--data-dir <folder>', 'folder that everything is kept in (REEMBED_DATA_DIR)')
    .option('--json', 'print the addresses as JSON')
    .addHelpText('after', examples('reembed dev', 'reembed dev --port 8000 --data-dir /var/lib/reembed'))
    .action(async (options: { tour?: boolean; port?: string; dataDir?: string; json?: boolean }) => {
      // Requests are not what someone who tries things out wants to read.
      const logLevel = io.env.REEMBED_LOG_LEVEL ?? 'warn';
      const settings = settingsFrom(io, {
        REEMBED_PORT: options.port,
        REEMBED_DATA_DIR: options.dataDir,
        REEMBED_LOG_LEVEL: logLevel,
      });
      const { runDev } = await import('../../runtime/processes/dev.ts');
      await runUntilStopped(io, settings, (context) =>
        runDev(
          settings,
          {
            tour: options.tour === true,
            onReady: (addresses) =>
              writeResult(io, options.json, addresses, () => {
                const { api, docs, temporalUi, temporal, namespace, dataDir } = addresses;
                const shown = fields([
                  ['API', api],
                  ['API reference', docs],
                  ['Temporal UI', temporalUi],
                  ['Temporal', `${temporal} (namespace ${namespace})`],
                  ['Data', dataDir],
                ]);
                return `\nreembed is ready\n\n${shown.replace(/^/gm, '  ')}\n\nCtrl-C stops it.\n`;
              }),
          },
          context,
        ),
      );
    });

  program
    .command('worker')
    .summary('run workers')
    .description('Runs workers against the Temporal server of TEMPORAL_ADDRESS and the database of DATABASE_URL.')
    .addOption(
      new Option('--role <role>', 'what this process does: `embed` loads, embeds and copies, `control` all else')
        .choices(['all', 'control', 'embed'])
        .default('all'),
    )
    .addHelpText('after', examples('reembed worker', 'reembed worker --role embed'))
    .action(async ({ role }: { role: WorkerRole }) => {
      const settings = settingsFrom(io);
      const { runWorker } = await import('../../runtime/processes/worker.ts');
      await runUntilStopped(io, settings, (context) => runWorker(settings, role, context));
    });

  program
    .command('api')
    .summary('run the HTTP API')
    .description(
      'Runs the HTTP API on REEMBED_HOST and REEMBED_PORT. Any but a loopback address needs REEMBED_API_TOKENS.',
    )
    .option('--json', 'print the address as JSON')
    .addHelpText('after', examples('reembed api', 'REEMBED_HOST=0.0.0.0 REEMBED_API_TOKENS=… reembed api'))
    .action(async ({ json }: { json?: boolean }) => {
      const settings = settingsFrom(io);
      const { runApi } = await import('../../runtime/processes/api.ts');
      await runUntilStopped(io, settings, (context) =>
        runApi(settings, (api) => writeResult(io, json, { api }, () => `the API listens at ${api}`), context),
      );
    });

  program
    .command('migrate')
    .summary('create or update the tables of the database')
    .description('Brings the database of DATABASE_URL up to date. Safe to run again, and by several processes at once.')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples('DATABASE_URL=postgres://me@localhost/reembed reembed migrate'))
    .action(async ({ json }: { json?: boolean }) => {
      const settings = settingsFrom(io);
      const { runMigrations } = await import('../../runtime/processes/migrate.ts');
      await runUntilStopped(io, settings, async (context) => {
        const ran = await runMigrations(settings, context);
        writeResult(io, json, { migrations: ran }, () =>
          ran.length === 0 ? 'the database is up to date' : `ran ${ran.join(', ')}: the database is up to date`,
        );
      });
    });
}
