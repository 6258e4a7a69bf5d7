import { type Command, Option } from 'commander';
import { retireSchema } from '../../contract/task-bodies.ts';
import { type ApproveOptions, approveFrom, withApproval } from '../approve-options.ts';
import { anyNumber, examples, type ModelOptions, modelFrom, wholeNumber, withModel } from '../arguments.ts';
import { UsageError } from '../errors.ts';
import type { Io } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { followTask, writeAccepted } from '../task-output.ts';
import { withShares } from './reads.ts';

interface ReindexOptions extends RemoteOptions, ModelOptions, ApproveOptions {
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
  shadow?: number;
  canary?: number;
  budgetUsd?: number;
  budgetTokens?: number;
  budgetCalls?: number;
  detach?: boolean;
}

/** Adds `reembed reindex`. */
export function addReindexCommand(program: Command, io: Io): void {
  withShares(withApproval(remote(withModel(program.command('reindex <source> <dest>')))))
    .summary('rebuild an index into another one during writes')
    .description(
      'Rebuilds the index or alias SOURCE into the index DEST and switches the alias at the end. If DEST does not ' +
        'exist, it is created with the given model. Writes and searches continue. Ctrl-C only stops following the task.',
    )
    .option('--alias <alias>', 'alias to switch from SOURCE to DEST; default: SOURCE, if it is an alias')
    .option('--retire <when>', 'delete the source at the end: never, now, or after a time such as 24h')
    .option('--keep-current', 'until then, write to the source too, so that a rollback loses nothing')
    .option('--task-id <id>', 'id of the task; default: a generated id')
    .addOption(new Option('--on-conflict <choice>', 'when another reindex conflicts').choices(['wait', 'refuse']))
    .option('--wait-seconds <seconds>', 'maximum seconds to wait before trying again', wholeNumber)
    .option('--concurrency <count>', 'batches copied at once, over all slices', wholeNumber)
    .option('--batch-size <count>', 'objects embedded and written as one batch', wholeNumber)
    .option(
      '--max-failed <count>',
      'objects that may fail: a number, a fraction below 1 (default: 0.01), or -1 for no limit',
      anyNumber,
    )
    .addOption(
      new Option(
        '--dest-existing <choice>',
        'when DEST holds objects that are newer than in SOURCE or missing there',
      ).choices(['refuse', 'replace']),
    )
    .option('--rate <objects>', 'maximum objects copied per second', anyNumber)
    .option('--budget-usd <dollars>', 'pause when the model has cost so many US dollars', anyNumber)
    .option('--budget-tokens <count>', 'pause when the model has used so many tokens', wholeNumber)
    .option('--budget-calls <count>', 'pause after so many calls of the model', wholeNumber)
    .option('--detach', 'do not wait until the task ends')
    .addHelpText(
      'after',
      examples(
        'reembed reindex live docs-v2 --provider words --approve manual --approve-timeout 7d --detach',
        'reembed reindex live docs-v2 --provider words --query-set support --detach',
        'reembed reindex live docs-v2 --provider words --approve manual --shadow 0.05 --canary 0.01 --detach',
        'reembed reindex live docs-v2 --provider words',
        'reembed reindex docs docs-v2 --provider openai --name bge-m3 --dimensions 1024 --base-url http://localhost:11434/v1',
        'reembed reindex live docs-v2 --provider words --retire 24h --keep-current --detach',
      ),
    )
    .action(async (source: string, dest: string, options: ReindexOptions) => {
      const client = clientFrom(io, options);
      const { alias, taskId, onConflict, waitSeconds, concurrency, batchSize, maxFailed, destExisting, rate } = options;
      const { shadow, canary } = options;
      const tracker = await client.tasks.reindex({
        source,
        dest,
        destModel: modelFrom(options),
        approve: approveFrom(options),
        retire: retireFrom(options),
        ratePerSecond: rate,
        ...{ shadow, canary },
        budget: budgetFrom(options),
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

function budgetFrom({ budgetUsd: usd, budgetTokens: tokens, budgetCalls: calls }: ReindexOptions) {
  return (usd ?? tokens ?? calls) === undefined ? undefined : { usd, tokens, calls };
}

function retireFrom({ retire, keepCurrent }: ReindexOptions) {
  if (retire === undefined || retire === 'never' || retire === 'now') {
    if (keepCurrent) throw new UsageError('--keep-current requires --retire with a time, such as --retire 24h');
    return retire;
  }
  const parsed = retireSchema.safeParse({ after: retire, keepCurrent });
  if (!parsed.success) throw new UsageError('--retire must be never, now, or a time such as 90s, 20m, 24h or 7d');
  return parsed.data;
}
