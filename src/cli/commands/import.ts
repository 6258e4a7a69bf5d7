import { type Command, Option } from 'commander';
import { exportedObjectSchema } from '../../contract/export.ts';
import { importedItem } from '../../contract/import.ts';
import type { IndexInfo } from '../../contract/indexes.ts';
import type { OnReindex } from '../../contract/task-bodies.ts';
import { examples } from '../arguments.ts';
import { UsageError } from '../errors.ts';
import type { Io } from '../output.ts';
import { createSending } from '../progress.ts';
import { readItems } from '../read-items.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { followTask, writeAccepted } from '../task-output.ts';

interface ImportOptions extends RemoteOptions {
  index: string;
  taskId?: string;
  onReindex?: OnReindex;
  wait?: boolean;
}

/** Adds `reembed import`. */
export function addImportCommand(program: Command, io: Io): void {
  remote(program.command('import <file>'))
    .summary('write exported objects with their vectors')
    .description(
      'Writes the objects of a file of `reembed export` (`-` is the standard input) with their vectors into an index ' +
        'of the same model that allows ready vectors. The model is called only for objects that were exported without ' +
        'vectors, because they had failed. A bad line is named, and nothing is written.',
    )
    .requiredOption('--index <index>', 'name of an index or an alias')
    .option('--task-id <id>', 'id of the task; the same id with the same input is the same task')
    .addOption(
      new Option(
        '--on-reindex <choice>',
        'while the index is being rebuilt: also write to the new one, wait, or refuse',
      ).choices(['forward', 'wait', 'refuse']),
    )
    .option('--wait', 'wait until the task ends')
    .addHelpText('after', examples('reembed import docs.ndjson --index docs-copy --wait'))
    .action(async (file: string, options: ImportOptions) => {
      const client = clientFrom(io, options);
      const { index, taskId, onReindex } = options;
      const info = await client.indexes.get(index);
      if (!info.readyVectors) {
        throw new UsageError(
          `${info.name} takes no vectors: create it with --ready-vectors, and the model of the file`,
        );
      }
      const sending = createSending(io);
      const objects = await readItems(file, io, sending.show);
      const tracker = await client.tasks
        .upsertStream(index, itemsOf(objects, info, file), { taskId, onReindex })
        .finally(sending.end);
      if (options.wait) await followTask(io, client, tracker.id, options);
      else writeAccepted(io, options.json, tracker);
    });
}

async function* itemsOf(objects: AsyncIterable<unknown>, info: IndexInfo, file: string) {
  let place = 0;
  for await (const object of objects) {
    place += 1;
    const { data, error } = exportedObjectSchema.safeParse(object);
    if (data) yield importedItem(data, info);
    else {
      const { path = [], message = '' } = error.issues[0] ?? {};
      throw new UsageError(`${file}, object ${place}: ${path.join('.')} ${message}: no exported object`);
    }
  }
}
