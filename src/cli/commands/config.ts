import type { Command } from 'commander';
import { describeSettings, unknownVariables } from '../../settings/settings.ts';
import { examples } from '../arguments.ts';
import { type Io, table, writeResult } from '../output.ts';
import { settingsFrom } from '../run-process.ts';

/** Adds `reembed config`, which shows the settings and their sources. */
export function addConfigCommand(program: Command, io: Io): void {
  program
    .command('config')
    .summary('show all settings')
    .description('Shows every setting with its value, its source and its meaning, and validates all of them.')
    .option('--json', 'print as JSON')
    .addHelpText('after', examples('reembed config', 'REEMBED_PORT=8000 reembed config --json'))
    .action(({ json }: { json?: boolean }) => {
      const settings = describeSettings(io.env);
      // Shown even when a setting is not valid: the table helps to find it.
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
