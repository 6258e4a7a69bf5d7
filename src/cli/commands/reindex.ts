import { type Command, Option } from 'commander';
import { ASKED_INDEX_BUILDS, type AskedIndexBuild } from '../../contract/index-build.ts';
import { metricSchema } from '../../contract/indexes.ts';
import type { ReindexPlan } from '../../contract/plan.ts';
import { type ReindexRequest, retireSchema } from '../../contract/task-bodies.ts';
import { type ApproveOptions, approveFrom, withApproval } from '../approve-options.ts';
import { anyNumber, examples, type ModelOptions, modelFrom, wholeNumber, withModel } from '../arguments.ts';
import { EXIT, Exit, UsageError } from '../errors.ts';
import { judge, type Limit, limit } from '../fail-above.ts';
import { type FullTextOptions, fullTextFrom, withFullText } from '../full-text-options.ts';
import { type Io, oneLine, writeResult } from '../output.ts';
import { planText } from '../plan-text.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { followTask, writeAccepted } from '../task-output.ts';
import { type VectorIndexOptions, vectorIndexFrom, withVectorIndex } from '../vector-index-options.ts';
import { type WatchOptions, watchFrom, withWatch } from '../watch-options.ts';
import { withShares } from './reads.ts';

interface ReindexOptions
  extends RemoteOptions,
    ModelOptions,
    ApproveOptions,
    FullTextOptions,
    VectorIndexOptions,
    WatchOptions {
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
  metric?: 'cosine' | 'l2' | 'ip';
  reuse: boolean;
  batchApi?: boolean;
  indexBuild?: AskedIndexBuild;
  rate?: number;
  shadow?: number;
  canary?: number;
  budgetUsd?: number;
  budgetTokens?: number;
  budgetCalls?: number;
  detach?: boolean;
  plan?: boolean;
  probe: boolean;
  sample?: number;
  failAbove?: Limit[];
}

/** Adds `reembed reindex`. */
export function addReindexCommand(program: Command, io: Io): void {
  const base = withApproval(remote(withModel(program.command('reindex <source> <dest>'))));
  withWatch(withShares(withVectorIndex(withFullText(base, { none: true }), { usual: true })))
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
    .addOption(new Option('--metric <metric>', 'metric of DEST; default: as SOURCE').choices([...metricSchema.options]))
    .addOption(
      new Option(
        '--index-build <when>',
        'build the HNSW index after the copy, let it grow during the copy, or build on a part and insert the rest; default: auto',
      ).choices([...ASKED_INDEX_BUILDS]),
    )
    .option('--no-reuse', 'embed every text again, instead of taking over stored vectors of the same model and text')
    .option('--batch-api', "embed through the provider's batches, within a day each, at half the price")
    .option('--rate <objects>', 'maximum objects copied per second', anyNumber)
    .option('--budget-usd <dollars>', 'pause when the model has cost this many US dollars', anyNumber)
    .option('--budget-tokens <count>', 'pause when the model has used this many tokens', wholeNumber)
    .option('--budget-calls <count>', 'pause after this many calls of the model', wholeNumber)
    .option('--detach', 'do not wait until the task ends')
    .option('--plan', 'start nothing: show what it would do and cost, and what is in the way')
    .option('--no-probe', 'with --plan: do not call the model')
    .option('--sample <objects>', 'with --plan: maximum objects to read; default: 1000', wholeNumber)
    .option(
      '--fail-above <limit>',
      'with --plan: exit code 1 if the forecast is above, 3 if it is unknown: 20usd, 5000000tokens, 1000calls, 2h; repeatable',
      limit,
    )
    .addHelpText(
      'after',
      examples(
        'reembed reindex live docs-v2 --provider words --plan --fail-above 20usd --fail-above 2h',
        'reembed reindex live docs-v2 --vector-index bit --storage halfvec',
        'reembed reindex live docs-v2 --provider words --approve manual --approve-timeout 7d --detach',
        'reembed reindex live docs-v2 --provider words --query-set support --detach',
        'reembed reindex live docs-v2 --provider words --approve manual --shadow 0.05 --canary 0.01 --detach',
        'reembed reindex live docs-v2 --provider words',
        'reembed reindex live docs-v2 --provider openai --name text-embedding-3-small --dimensions 1536 --batch-api --detach',
        'reembed reindex docs docs-v2 --provider openai --name bge-m3 --dimensions 1024 --base-url http://localhost:11434/v1',
        'reembed reindex live docs-v2 --provider words --retire 24h --keep-current --detach',
        'reembed reindex live docs-v2 --provider words --retire 24h --keep-current --watch 12h --roll-back-if emptyShare=0.1,errorShare=0.02',
      ),
    )
    .action(async (source: string, dest: string, options: ReindexOptions) => {
      requirePlan(options);
      const client = clientFrom(io, options);
      const body = bodyFrom(source, dest, options);
      if (options.plan) {
        const plan = await client.tasks.planReindex({ ...body, probe: options.probe, sampleObjects: options.sample });
        writePlan(io, plan, options);
        return;
      }
      const tracker = await client.tasks.reindex(body);
      if (options.detach) {
        writeAccepted(io, options.json, tracker);
        return;
      }
      io.err(`task ${tracker.id}\n`);
      await followTask(io, client, tracker.id, options);
    });
}

function requirePlan({ plan, probe, sample, failAbove }: ReindexOptions): void {
  if (plan || (probe && sample === undefined && failAbove === undefined)) return;
  throw new UsageError('--no-probe, --sample and --fail-above require --plan');
}

function bodyFrom(source: string, dest: string, options: ReindexOptions): ReindexRequest {
  const { alias, taskId, onConflict, waitSeconds, concurrency, batchSize, maxFailed, destExisting, rate } = options;
  const { shadow, canary } = options;
  return {
    source,
    dest,
    destModel: modelFrom(options),
    destFullText: fullTextFrom(options),
    destMetric: options.metric,
    destStorage: options.storage,
    destVectorIndex: vectorIndexFrom(options),
    ...(!options.reuse && { reuse: false }),
    ...(options.batchApi && { batchApi: true }),
    indexBuild: options.indexBuild,
    approve: approveFrom(options),
    retire: retireFrom(options),
    ratePerSecond: rate,
    ...{ shadow, canary },
    watch: watchWhileKept(options),
    budget: budgetFrom(options),
    ...{ alias, taskId, onConflict, waitSeconds, concurrency, batchSize, maxFailed, destExisting },
  };
}

/** Writes a plan. @throws Exit if the forecast is above a limit, or unknown */
function writePlan(io: Io, plan: ReindexPlan, { json, failAbove = [], batchApi }: ReindexOptions): void {
  writeResult(io, json, plan, () => planText(plan));
  const judged = judge(batchApi && plan.batchUsd ? { ...plan, usd: plan.batchUsd } : plan, failAbove);
  for (const { text } of judged) io.err(`${oneLine(text)}\n`);
  if (judged.some(({ outcome }) => outcome === 'above')) throw new Exit(EXIT.failed);
  if (judged.some(({ outcome }) => outcome === 'unknown')) throw new Exit(EXIT.inconclusive);
}

function watchWhileKept(options: ReindexOptions) {
  const watch = watchFrom(options);
  if (watch && !options.keepCurrent) throw new UsageError('--watch requires --retire with a time and --keep-current');
  return watch;
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
