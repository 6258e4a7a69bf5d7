import type { Command } from 'commander';
import { describeSettings, unknownVariables } from '../../runtime/settings.ts';
import { examples } from '../arguments.ts';
import { type Io, table, writeResult } from '../output.ts';
import { settingsFrom } from '../run-process.ts';

/** `reembed config`: what the settings are and where they come from. */
export function addConfigCommand(program: Command, io: Io): void {
  program
    .command('config')
    .summary('show all settings')
    .description('Shows every setting with its value, where that comes from and what it means, and checks them all.')
    .option('--json', 'print as JSON')
    .addHelpText('after', examples('reembed config', 'REEMBED_PORT=8000 reembed config --json'))
    .action(({ json }: { json?: boolean }) => {
      const settings = describeSettings(io.env);
      // Shown even when one is wrong: the table helps to see which.
      writeResult(io, json, { settings, unknown: unknownVariables(io.env) }, () =>
        table(
          settings,
          [
            { title: 'SETTING', value: (row) => row.variable },
            { title: 'VALUE', value: (row) => row.value ?? '-' },
            { title: 'FROM', value: (row) => row.source },
            { title: 'MEANING', value: (row) => row.meaning },
          ],
          '',
        ),
      );
      settingsFrom(io);
    });
}
