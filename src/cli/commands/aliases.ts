import type { Command } from 'commander';
import { examples } from '../arguments.ts';
import { type Io, table, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';

/** `reembed alias …` */
export function addAliasCommands(program: Command, io: Io): void {
  const group = program
    .command('alias')
    .summary('point stable names to indexes')
    .description('Aliases: stable names, each of which points to the index that serves.');

  remote(group.command('set <alias> <index>'))
    .summary('point an alias to an index')
    .description(
      'Points an alias to an index, in one step for all searches and writes. It moves only to an index that has all ' +
        'that the alias serves now.',
    )
    .option('--force', 'move it although the index lacks something')
    .addHelpText('after', examples('reembed alias set live docs-v2'))
    .action(async (alias: string, index: string, options: RemoteOptions & { force?: boolean }) => {
      const set = await clientFrom(io, options).aliases.set(alias, index, { force: options.force });
      writeResult(io, options.json, set, () => `${set.alias} points to ${set.index}`);
    });

  remote(group.command('list'))
    .summary('list all aliases')
    .description('Lists all aliases, with the indexes that they point to.')
    .addHelpText('after', examples('reembed alias list'))
    .action(async (options: RemoteOptions) => {
      const aliases = await clientFrom(io, options).aliases.list();
      writeResult(io, options.json, { aliases }, () =>
        table(
          aliases,
          [
            { title: 'ALIAS', value: (row) => row.alias },
            { title: 'INDEX', value: (row) => row.index },
          ],
          'there is no alias yet',
        ),
      );
    });

  remote(group.command('delete <alias>'))
    .summary('remove an alias')
    .description('Removes an alias; the index that it points to stays.')
    .addHelpText('after', examples('reembed alias delete live'))
    .action(async (alias: string, options: RemoteOptions) => {
      await clientFrom(io, options).aliases.delete(alias);
      writeResult(io, options.json, { alias, deleted: true }, () => `the alias ${alias} is removed`);
    });
}
