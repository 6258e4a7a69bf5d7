import { type Command, Option } from 'commander';
import { examples } from '../arguments.ts';
import { openExportFile, writeLines } from '../export-file.ts';
import { type Io, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';

interface ExportOptions extends RemoteOptions {
  vectors?: 'numbers' | 'base64';
  continue?: boolean;
}

/** Adds `reembed export`. */
export function addExportCommand(program: Command, io: Io): void {
  remote(program.command('export <index> <file>'))
    .summary('write all objects with their vectors to a file')
    .description(
      'Writes all objects of an index with the vectors of their parts to a new file, one JSON object per line, in the ' +
        'order of their ids. `reembed import` reads it.',
    )
    .addOption(
      new Option('--vectors <form>', 'numbers, or base64 of them, which is half as long').choices([
        'numbers',
        'base64',
      ]),
    )
    .option('--continue', 'go on after the last object of the file, if an export broke off')
    .addHelpText('after', examples('reembed export docs docs.ndjson --vectors base64'))
    .action(async (nameOrAlias: string, file: string, options: ExportOptions) => {
      const client = clientFrom(io, options);
      // The name: an alias may be switched between two runs.
      const { name: index } = await client.indexes.get(nameOrAlias);
      const target = await openExportFile(file, { isContinued: options.continue === true });
      const { after } = target;
      let [objects, parts] = [0, 0];
      async function* lines() {
        for await (const object of client.objects.export(index, { after, vectors: options.vectors })) {
          objects += 1;
          parts += object.parts.length;
          yield `${JSON.stringify(object)}\n`;
        }
      }
      await writeLines(target, lines());
      const since = after === undefined ? '' : `, after ${JSON.stringify(after)}`;
      writeResult(
        io,
        options.json,
        { index, file, objects, parts, after: after ?? null },
        () => `${objects} objects with ${parts} vectors of ${index} are in ${file}${since}`,
      );
    });
}
