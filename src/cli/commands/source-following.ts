import type { Command } from 'commander';
import type { ReembedClient } from '../../client/client.ts';
import type { SourceInfo } from '../../contract/sources.ts';
import { anyNumber, examples } from '../arguments.ts';
import { type Io, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { followTask, writeAccepted } from '../task-output.ts';
import { type AuditOptions, addAuditOptions, runAudit } from './audit.ts';

interface SyncOptions extends RemoteOptions {
  rate?: number;
  taskId?: string;
  wait?: boolean;
}

/** Adds `reembed sources stop`, `start`, `sync` and `audit`. */
export function addFollowingCommands(group: Command, io: Io): void {
  const steer = (options: RemoteOptions, call: (sources: ReembedClient['sources']) => Promise<SourceInfo>) =>
    call(clientFrom(io, options).sources).then((source) => {
      const { name, state, reason } = source;
      writeResult(io, options.json, source, () => `source ${name}: ${state}${reason === null ? '' : `, ${reason}`}`);
    });

  remote(group.command('stop <table-source>'))
    .summary('follow a source no more, until it is started')
    .description('Follows a source no more. Its triggers still record changes.')
    .addHelpText('after', examples('reembed sources stop articles'))
    .action((name: string, options: RemoteOptions) => steer(options, (sources) => sources.stop(name)));

  remote(group.command('start <table-source>'))
    .summary('follow a source again')
    .description('Follows a source again, and syncs all its rows.')
    .addHelpText('after', examples('reembed sources start articles'))
    .action((name: string, options: RemoteOptions) => steer(options, (sources) => sources.start(name)));

  remote(group.command('sync <table-source>'))
    .summary('sync all rows of a source')
    .description(
      'Makes the index of a source equal to its table: syncs all rows, then deletes the objects that have none. This ' +
        'is a task that can be paused, canceled and throttled.',
    )
    .option('--rate <rows>', 'maximum rows per second; default: no limit', anyNumber)
    .option('--task-id <id>', 'id of the task; default: a generated id')
    .option('--wait', 'wait until the task ends')
    .addHelpText('after', examples('reembed sources sync articles --rate 500 --wait'))
    .action(async (source: string, options: SyncOptions) => {
      const client = clientFrom(io, options);
      const { rate: ratePerSecond, taskId } = options;
      const tracker = await client.tasks.sync({ source, ratePerSecond, taskId });
      if (options.wait) await followTask(io, client, tracker.id, options);
      else writeAccepted(io, options.json, tracker);
    });

  const audit = remote(group.command('audit <table-source>'))
    .summary('compare the table of a source with its index')
    .description(
      'Compares all rows of a source with their objects, and all objects with their rows, and reports what is missing, ' +
        'stale or without a row. It looks twice, so that what is merely on its way is not reported. Exit codes: 0 nothing ' +
        'differs, or everything was repaired; 1 something differs, or failure.',
    )
    .option('--rate <rows>', 'maximum rows and objects looked at per second', anyNumber)
    .option('--repair', 'sync what differs, and delete objects without a row')
    .addHelpText(
      'after',
      examples('reembed sources audit articles', 'reembed sources audit articles --repair --rate 1000'),
    );
  addAuditOptions(audit).action((source: string, { rate, repair, taskId, ...options }: AuditOptions) =>
    runAudit(io, { source, ratePerSecond: rate, repair, taskId }, options),
  );
}
