import { type Command, Option } from 'commander';
import type { ReembedClient } from '../../client/client.ts';
import { EVALUATION_METRICS, type EvaluationMetric } from '../../contract/evaluation.ts';
import { anyNumber, examples, several, wholeNumber } from '../arguments.ts';
import { EXIT, Exit, UsageError } from '../errors.ts';
import { EVALUATION_EXIT, evaluationText } from '../evaluation-text.ts';
import { type Io, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { followTask, writeAccepted, writeTracker } from '../task-output.ts';

interface EvaluateOptions extends RemoteOptions {
  k?: number;
  metric?: EvaluationMetric;
  minGain?: number;
  maxLoss?: number;
  confidence?: number;
  minQueries?: number;
  minNdcg?: number;
  minRecall?: number;
  minMrr?: number;
  minOverlap?: number;
  minRbo?: number;
  minHnswRecall?: number;
  maxLatencyRatio?: number;
  maxEmptyShare?: number;
  efSearch?: string[];
  by?: string;
  maxMissing?: number;
  seed?: number;
  taskId?: string;
  detach?: boolean;
}

/** Adds `reembed evaluate` and `reembed evaluation`. */
export function addEvaluateCommands(program: Command, io: Io): void {
  remote(program.command('evaluate <left> <right> <set>'))
    .summary('compare what a query set finds on two indexes')
    .description(
      'Runs every query of SET on LEFT, the index that serves now, and on RIGHT, which may replace it, and says whether ' +
        'it may. Exit codes: 0 go, 1 no-go or failure, 3 inconclusive.',
    )
    .option('--k <count>', 'places of each result that count; default: 10', wholeNumber)
    .addOption(new Option('--metric <metric>', 'measure that decides; default: ndcg').choices([...EVALUATION_METRICS]))
    .option('--min-gain <difference>', 'go: the confidence interval begins here or above; default: 0', anyNumber)
    .option('--max-loss <difference>', 'no-go: the confidence interval ends below minus this', anyNumber)
    .option('--confidence <share>', 'confidence of the interval; default: 0.95', anyNumber)
    .option('--min-queries <count>', 'judged queries needed for a decision; default: 10', wholeNumber)
    .option('--min-ndcg <value>', 'minimum nDCG of RIGHT', anyNumber)
    .option('--min-recall <value>', 'minimum recall of RIGHT', anyNumber)
    .option('--min-mrr <value>', 'minimum MRR of RIGHT', anyNumber)
    .option('--min-overlap <share>', 'minimum overlap of both results', anyNumber)
    .option('--min-rbo <value>', 'minimum rank-biased overlap of both results', anyNumber)
    .option('--min-hnsw-recall <share>', 'minimum recall of the HNSW index of RIGHT', anyNumber)
    .option('--max-latency-ratio <ratio>', 'maximum p95 latency of RIGHT, divided by that of LEFT', anyNumber)
    .option('--max-empty-share <share>', 'maximum share of queries that only LEFT answers; default: 0', anyNumber)
    .option('--ef-search <value>', 'further value of hnsw.ef_search to measure; repeatable', several)
    .option('--by <field>', 'metadata field of the queries to break the scores down by')
    .option('--max-missing <share>', 'maximum share of judgments for missing objects; default: 0.1', anyNumber)
    .option('--seed <number>', 'seed of the bootstrap; default: 1', wholeNumber)
    .option('--task-id <id>', 'id of the task; default: a generated id')
    .option('--detach', 'do not wait until the task ends')
    .addHelpText(
      'after',
      examples(
        'reembed evaluate docs-v1 docs-v2 support',
        'reembed evaluate docs-v1 docs-v2 support --min-gain -0.02 --min-hnsw-recall 0.95 --by lang --json',
      ),
    )
    .action(async (left: string, right: string, querySet: string, options: EvaluateOptions) => {
      const client = clientFrom(io, options);
      const { k, by, maxMissing, seed, taskId } = options;
      const tracker = await client.tasks.evaluate({
        ...{ left, right, querySet, k, breakdown: by, maxMissing, seed, taskId },
        thresholds: thresholdsFrom(options),
        efSearch: options.efSearch?.map(efSearchFrom),
      });
      if (options.detach) {
        writeAccepted(io, options.json, tracker);
        return;
      }
      if (options.json) await followQuietly(client, tracker.id);
      else {
        io.err(`task ${tracker.id}\n`);
        await followTask(io, client, tracker.id);
        io.out('\n');
      }
      await writeEvaluation(tracker.id, options);
    });

  remote(program.command('evaluation <task>'))
    .summary('show the report of an evaluation')
    .description('Shows the report of the last evaluation of a task. Exit codes: 0 go, 1 no-go, 3 inconclusive.')
    .addHelpText('after', examples('reembed evaluation compare-1', 'reembed evaluation compare-1 --json'))
    .action((taskId: string, options: RemoteOptions) => writeEvaluation(taskId, options));

  /** Waits for the end of the task; with `--json`, the report is the only output, or the tracker of a failed task. */
  async function followQuietly(client: ReembedClient, taskId: string): Promise<void> {
    try {
      await followTask(io, client, taskId, { json: true, each: () => {} });
    } catch (error) {
      if (error instanceof Exit && error.code === EXIT.failed) writeTracker(io, true, await client.tasks.info(taskId));
      throw error;
    }
  }

  async function writeEvaluation(taskId: string, options: RemoteOptions): Promise<void> {
    const report = await clientFrom(io, options).tasks.evaluation(taskId);
    writeResult(io, options.json, report, () => evaluationText(report));
    const code = EVALUATION_EXIT[report.verdict];
    if (code !== 0) throw new Exit(code);
  }
}

function thresholdsFrom(options: EvaluateOptions) {
  const { metric, minGain, maxLoss, confidence, minQueries, minNdcg, minRecall, minMrr } = options;
  const { minOverlap, minRbo, minHnswRecall, maxLatencyRatio, maxEmptyShare } = options;
  return {
    ...{ metric, minGain, maxLoss, confidence, minQueries, minNdcg, minRecall, minMrr },
    ...{ minOverlap, minRbo, minHnswRecall, maxLatencyRatio, maxEmptyShare },
  };
}

function efSearchFrom(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new UsageError('--ef-search must be a whole number');
  return Number(text);
}
