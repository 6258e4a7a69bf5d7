import { type Command, Option } from 'commander';
import { EXPORT_FORMATS, type ExportedObject, type ExportFormat } from '../../contract/export.ts';
import { examples } from '../arguments.ts';
import { UsageError } from '../errors.ts';
import { openLines } from '../export-file.ts';
import { openParquet } from '../export-parquet.ts';
import { type Io, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';

interface ExportOptions extends RemoteOptions {
  format?: ExportFormat;
  vectors?: 'numbers' | 'base64';
  continue?: boolean;
}

/** Adds `reembed export`. */
export function addExportCommand(program: Command, io: Io): void {
  remote(program.command('export <index> <file>'))
    .summary('write all objects with their vectors to a file')
    .description(
      'Writes all objects of an index with the vectors of their parts to a new file, in the order of their ids: one JSON ' +
        'object per line, or a Parquet file with an object per row. `reembed import` reads both. A Parquet file that broke ' +
        'off is continued after its last row group, by FILE.groups beside it, which is removed at the end.',
    )
    .addOption(
      new Option(
        '--format <format>',
        'ndjson, or parquet, the default if the name of the file ends with .parquet',
      ).choices(EXPORT_FORMATS),
    )
    .addOption(
      new Option('--vectors <form>', 'in NDJSON: numbers, or base64 of them, which is half as long').choices([
        'numbers',
        'base64',
      ]),
    )
    .option('--continue', 'continue after the last object of the file, if an export broke off')
    .addHelpText(
      'after',
      examples('reembed export docs docs.ndjson --vectors base64', 'reembed export docs docs.parquet'),
    )
    .action(async (nameOrAlias: string, file: string, options: ExportOptions) => {
      const { format = file.endsWith('.parquet') ? 'parquet' : 'ndjson', vectors } = options;
      const isParquet = format === 'parquet';
      if (isParquet && vectors) throw new UsageError('--vectors is for NDJSON: Parquet has them in single precision');
      const client = clientFrom(io, options);
      // The name: an alias may be switched between two runs.
      const { name: index, createTime } = await client.indexes.get(nameOrAlias);
      const open = isParquet ? openParquet : openLines;
      const target = await open(file, { index, createTime, isContinued: options.continue === true });
      const { after, isWhole } = target;
      // An index of this name may be another one by the time that the objects are read.
      const from = after === undefined ? {} : { after, indexCreateTime: createTime };
      let [objects, parts] = [0, 0];
      async function* counted(): AsyncGenerator<ExportedObject> {
        for await (const object of client.objects.export(index, { ...from, vectors: isParquet ? 'base64' : vectors })) {
          objects += 1;
          parts += object.parts.length;
          yield object;
        }
      }
      if (!isWhole) await target.write(counted());
      writeResult(io, options.json, { index, file, format, objects, parts, after: after ?? null }, () => {
        if (isWhole) return `${file} is whole already`;
        const since = after === undefined ? '' : `, after ${JSON.stringify(after)}`;
        return `${objects} objects with ${parts} vectors of ${index} are in ${file}${since}`;
      });
    });
}
