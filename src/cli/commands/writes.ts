import { type Command, Option } from 'commander';
import type { ItemInput } from '../../client/client.ts';
import type { OnReindex } from '../../contract/task-bodies.ts';
import { examples } from '../arguments.ts';
import type { Io } from '../output.ts';
import { createSending } from '../progress.ts';
import { readItems } from '../read-items.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { followTask, writeAccepted } from '../task-output.ts';

interface WriteOptions extends RemoteOptions {
  index: string;
  taskId?: string;
  onReindex?: OnReindex;
  wait?: boolean;
}

/** Adds `reembed upsert` and `reembed delete`. */
export function addWriteCommands(program: Command, io: Io): void {
  const writing = (command: Command) =>
    remote(command)
      .requiredOption('--index <index>', 'name of an index or an alias')
      .option('--task-id <id>', 'id of the task; the same id with the same input is the same task')
      .addOption(
        new Option(
          '--on-reindex <choice>',
          'while the index is being rebuilt: also write to the new one, wait, or refuse',
        ).choices(['forward', 'wait', 'refuse']),
      )
      .option('--wait', 'wait until the task ends');

  writing(program.command('upsert <file>'))
    .summary('add or change objects')
    .description(
      'Embeds objects and writes them. The file (`-` is the standard input) has one JSON object per line, or is one ' +
        'JSON array of objects. Each has an id, a payload, a uri or parts with ready vectors, and optionally metadata, ' +
        'version and originalId.',
    )
    .option('--fail-on-failed-items', 'fail the task when an object cannot be embedded')
    .addHelpText(
      'after',
      examples(
        'reembed upsert docs.ndjson --index docs --wait',
        `echo '{"id":"a","payload":"a lion"}' | reembed upsert - --index docs --wait`,
        `echo '{"id":"a","parts":[{"text":"a lion","vector":[0.1,0.9]}]}' | reembed upsert - --index own --wait`,
      ),
    )
    .action(async (file: string, options: WriteOptions & { failOnFailedItems?: boolean }) => {
      const client = clientFrom(io, options);
      const { index, taskId, onReindex, failOnFailedItems } = options;
      const sending = createSending(io);
      const items = (await readItems(file, io, sending.show)) as AsyncGenerator<ItemInput>;
      const tracker = await client.tasks
        .upsertStream(index, items, { taskId, onReindex, ...(failOnFailedItems && { ignoreFailedItems: false }) })
        .finally(sending.end);
      if (options.wait) await followTask(io, client, tracker.id, options);
      else writeAccepted(io, options.json, tracker);
    });

  writing(program.command('delete <id...>'))
    .summary('delete objects')
    .description('Deletes objects, and the objects derived from them.')
    .addHelpText('after', examples('reembed delete --index docs a b c --wait'))
    .action(async (ids: string[], options: WriteOptions) => {
      const client = clientFrom(io, options);
      const { index, taskId, onReindex } = options;
      const tracker = await client.tasks.delete({ index, ids, taskId, onReindex });
      if (options.wait) await followTask(io, client, tracker.id, options);
      else writeAccepted(io, options.json, tracker);
    });
}
