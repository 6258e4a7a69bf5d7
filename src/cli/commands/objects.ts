import type { Command } from 'commander';
import { examples } from '../arguments.ts';
import { type Io, table, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';

/** Adds `reembed objects`. */
export function addObjectCommands(program: Command, io: Io): void {
  const objects = program.command('objects').description('look at single objects');
  remote(objects.command('history <index> <id>'))
    .summary('show what happened to an object')
    .description('Shows the writes, deletions, copies and failures of an object in an index or alias, newest first.')
    .addHelpText('after', examples('reembed objects history docs a'))
    .action(async (index: string, id: string, options: RemoteOptions) => {
      const history = await clientFrom(io, options).objects.history(index, id);
      writeResult(io, options.json, history, () =>
        table(
          history.events,
          [
            { title: 'TIME', value: ({ time }) => time },
            { title: 'EVENT', value: ({ kind }) => kind },
            { title: 'VERSION', value: ({ version }) => version, right: true },
            {
              title: 'COPIED FROM',
              value: ({ copied, copiedFrom }) => copiedFrom ?? (copied ? 'a deleted index' : ''),
            },
            { title: 'TASK', value: ({ taskId }) => taskId },
            { title: 'TOKEN', value: ({ by }) => by },
            { title: 'REASON', value: ({ reason }) => reason },
          ],
          `no event of ${id} is known in ${history.index}`,
        ),
      );
    });
}
