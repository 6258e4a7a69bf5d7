import { type Command, Option } from 'commander';
import { retireSchema } from '../../contract/tasks.ts';
import { anyNumber, examples, type ModelOptions, modelFrom, wholeNumber, withModel } from '../arguments.ts';
import { UsageError } from '../errors.ts';
import type { Io } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { followTask, writeAccepted } from '../task-output.ts';

interface ReindexOptions extends RemoteOptions, ModelOptions {
  alias?: string;
  retire?: string;
  keepCurrent?: boolean;
  taskId?: string;
  onConflict?: 'wait' | 'refuse';
  waitSeconds?: number;
  concurrency?: number;
  batchSize?: number;
  maxFailed?: number;
  destExisting?: 'refuse' | 'replace';
  rate?: number;
  detach?: boolean;
}

/** `reembed reindex` */
export function addReindexCommand(program: Command, io: Io): void {
  remote(withModel(program.command('reindex <source> <dest>')))
    .summary('rebuild an index into another one while it is written to')
    .description(
      'Rebuilds the index or alias SOURCE into the index DEST, which is made if it is not there (then name its model), and ' +
        'switches the alias at the end. Writes and searches go on all the time. Ctrl-C only stops looking: the task goes on.',
    )
    .option('--alias <alias>', 'alias to switch from source to dest; the one that SOURCE is, if it is one')
    .option('--retire <when>', 'delete the source at the end: never, now, or after a time such as 24h')
    .option('--keep-current', 'until then, write to the source too, so that going back loses nothing')
    .option('--task-id <id>', 'id of the task; made up if not given')
    .addOption(new Option('--on-conflict <choice>', 'when another reindex is in the way').choices(['wait', 'refuse']))
    .option('--wait-seconds <seconds>', 'how long to wait at most before trying again', wholeNumber)
    .option('--concurrency <count>', 'batches copied at once, of all slices together', wholeNumber)
    .option('--batch-size <count>', 'objects embedded and written together', wholeNumber)
    .option(
      '--max-failed <count>',
      'objects that may fail: a number, a fraction below 1 (0.01 if absent), or -1 for any',
      anyNumber,
    )
    .addOption(
      new Option(
        '--dest-existing <choice>',
        'when DEST holds newer objects of its own, or some that SOURCE has not',
      ).choices(['refuse', 'replace']),
    )
    .option('--rate <objects>', 'most objects copied in a second', anyNumber)
    .option('--detach', 'do not wait for the end')
    .addHelpText(
      'after',
      examples(
        'reembed reindex live docs-v2 --provider words',
        'reembed reindex docs docs-v2 --provider openai --name bge-m3 --dimensions 1024 --base-url http://localhost:11434/v1',
        'reembed reindex live docs-v2 --provider words --retire 24h --keep-current --detach',
      ),
    )
    .action(async (source: string, dest: string, options: ReindexOptions) => {
      const client = clientFrom(io, options);
      const { alias, taskId, onConflict, waitSeconds, concurrency, batchSize, maxFailed, destExisting, rate } = options;
      const tracker = await client.tasks.reindex({
        source,
        dest,
        destModel: modelFrom(options),
        retire: retireFrom(options),
        ratePerSecond: rate,
        ...{ alias, taskId, onConflict, waitSeconds, concurrency, batchSize, maxFailed, destExisting },
      });
      if (options.detach) {
        writeAccepted(io, options.json, tracker);
        return;
      }
      io.err(`task ${tracker.id}\n`);
      await followTask(io, client, tracker.id, options);
    });
}

function retireFrom({ retire, keepCurrent }: ReindexOptions) {
  if (retire === undefined || retire === 'never' || retire === 'now') {
    if (keepCurrent) throw new UsageError('--keep-current needs --retire with a time, such as --retire 24h');
    return retire;
  }
  const parsed = retireSchema.safeParse({ after: retire, keepCurrent });
  if (!parsed.success) throw new UsageError('--retire must be never, now, or a time such as 90s, 20m, 24h or 7d');
  return parsed.data;
}
