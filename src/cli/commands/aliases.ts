import type { Command } from 'commander';
import { examples } from '../arguments.ts';
import { type Io, table, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote, tellUnavailable } from '../remote.ts';
import { addSamplingCommands } from './sampling.ts';

/** `reembed alias …` */
export function addAliasCommands(program: Command, io: Io): void {
  const group = program
    .command('alias')
    .summary('manage aliases of indexes')
    .description('Manages aliases: stable names that each point to the index that serves requests.');

  remote(group.command('set <alias> <index>'))
    .summary('point an alias to an index')
    .description(
      'Points an alias to an index, atomically for all searches and writes. Without --force, the index must have all ' +
        'objects that the alias serves now and vectors, and its model must respond.',
    )
    .option('--force', 'move the alias even if the index lacks objects or vectors, or its model fails')
    .addHelpText('after', examples('reembed alias set live docs-v2'))
    .action(async (alias: string, index: string, options: RemoteOptions & { force?: boolean }) => {
      const set = await clientFrom(io, options).aliases.set(alias, index, { force: options.force });
      writeResult(io, options.json, set, () => `${set.alias} points to ${set.index}`);
    });

  remote(group.command('list'))
    .summary('list all aliases')
    .description('Lists all aliases and the indexes that they point to.')
    .addHelpText('after', examples('reembed alias list'))
    .action(async (options: RemoteOptions) => {
      const aliases = await clientFrom(io, options).aliases.list(tellUnavailable(io));
      writeResult(io, options.json, { aliases }, () =>
        table(
          aliases,
          [
            { title: 'ALIAS', value: (row) => row.alias },
            { title: 'INDEX', value: (row) => row.index },
          ],
          'no aliases',
        ),
      );
    });

  addSamplingCommands(group, io);

  remote(group.command('delete <alias>'))
    .summary('delete an alias')
    .description('Deletes an alias; the index that it points to is kept.')
    .addHelpText('after', examples('reembed alias delete live'))
    .action(async (alias: string, options: RemoteOptions) => {
      await clientFrom(io, options).aliases.delete(alias);
      writeResult(io, options.json, { alias, deleted: true }, () => `alias ${alias} deleted`);
    });
}
