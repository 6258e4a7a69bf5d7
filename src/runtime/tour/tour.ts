import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createClient, type ReembedClient } from '../../client/client.ts';
import type { Evaluation, EvaluationSide } from '../../contract/evaluation.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { type NounGloss, readNounGlosses } from './corpus.ts';
import { dictionaryQueries } from './dictionary-queries.ts';
import { type Comparison, computeDigest, WriteRecord } from './record.ts';
import { searchLines, searchMeanings } from './searches.ts';
import { type WriterCounts, writeUntil } from './writer.ts';

/** Context of the tour: a running `reembed dev`. */
export interface TourContext {
  /** Address of the API. */
  baseUrl: string;
  /** Token of the API, if it requires one. */
  token: string | undefined;
  dataDir: string;
  /** Prints a line for people. */
  say: (line: string) => void;
  /** Aborted when `dev` stops; the tour then ends soon. */
  signal: AbortSignal;
}

const ALIAS = 'glosses';
const OLD = 'glosses-v1';
const NEW = 'glosses-v2';
const QUERY_SET = 'glosses-words';
/** Objects copied per second: slow enough for many writes in the meantime. */
const COPY_RATE = 500;

/** Stored in the data directory, to recognize the tour's objects at the next start. */
interface Finished {
  objects: number;
  digest: string;
}

/**
 * Shows the main use on real text: indexes glosses of WordNet with a model that compares spelling, rebuilds the index
 * with one that compares meaning while users keep writing, and compares every object with the tour's own record. If the
 * tour has been completed in the data directory, only checks it.
 */
export async function runTour(context: TourContext): Promise<void> {
  const { say, signal } = context;
  const client = createClient(context);
  const file = path.join(context.dataDir, 'tour.json');
  const finished = await readFinished(file);
  if (finished) return lookAgain(client, finished, say);
  await clearLeftOvers(client, say);

  const glosses = readNounGlosses();
  const record = new WriteRecord();
  say('');
  say(`1. ${glosses.length} glosses of WordNet go into ${OLD}, embedded by the model "hash", served as "${ALIAS}"`);
  await load(client, glosses, record, context);
  say('   Searches with words that the glosses do not contain:');
  searchLines(await searchMeanings(client, ALIAS)).forEach(say);

  say('');
  say(`2. ${OLD} is rebuilt into ${NEW} with the model "words" at ${COPY_RATE} objects per second, while four users`);
  say(`   keep writing to "${ALIAS}". Before the switch, both models look up words: their definitions are the answers`);
  await client.querySets.save(QUERY_SET, { queries: dictionaryQueries(glosses) });
  const { tracker, counts } = await rebuild(client, record, context);
  signal.throwIfAborted();
  const seconds = (Date.parse(tracker.updateTime) - Date.parse(tracker.createTime)) / 1_000;
  say(
    `   ${NEW} serves as "${ALIAS}" after ${seconds.toFixed(1)} s; writers were held back for ${tracker.data.drainMs} ms`,
  );

  say('');
  say(`3. Every object of "${ALIAS}" is compared with the tour's own record of what was written`);
  const compared = await record.compare(client.objects.stream(ALIAS, { signal }));
  say(`   The same searches now:`);
  searchLines(await searchMeanings(client, ALIAS)).forEach(say);
  say('');
  say(resultLine(compared, counts));
  await writeFile(file, `${JSON.stringify({ objects: compared.objects, digest: compared.digest })}\n`);
}

async function load(
  client: ReembedClient,
  glosses: readonly NounGloss[],
  record: WriteRecord,
  { say, signal }: TourContext,
): Promise<void> {
  await client.indexes.create(OLD, { model: { provider: 'hash' } });
  await client.aliases.set(ALIAS, OLD);
  const items = glosses.map(({ id, words, gloss }) => ({ id, payload: gloss, metadata: { words } }));
  const begun = Date.now();
  const { id } = await client.tasks.upsertStream(ALIAS, items, { signal });
  const tracker = await follow(client, id, say, signal);
  for (const { id, payload } of items) record.note(id, tracker.version ?? 0, payload);
  say(`   ${tracker.detail}, with an HNSW index over them, in ${((Date.now() - begun) / 1_000).toFixed(1)} s`);
}

/** Starts the reindex with concurrent writers, who continue briefly after the cut-over. */
async function rebuild(client: ReembedClient, record: WriteRecord, { say, signal }: TourContext) {
  const stopWriters = new AbortController();
  const stop = AbortSignal.any([stopWriters.signal, signal]);
  const writing = writeUntil(client, ALIAS, record, stop);
  // Raced with the reindex, so that a failed writer is noticed before the reindex is done.
  const failed = writing.then(
    () => new Promise<never>(() => {}),
    (error: unknown) => Promise.reject(error),
  );
  try {
    const { id } = await client.tasks.reindex({
      taskId: `tour-${randomUUID()}`,
      source: ALIAS,
      dest: NEW,
      destModel: { provider: 'words' },
      ratePerSecond: COPY_RATE,
      // The vocabulary of "words" is small: it finds nothing for some words.
      approve: { querySet: QUERY_SET, thresholds: { maxEmptyShare: 1 }, onGo: 'wait', onNoGo: 'wait' },
    });
    const decide = async () => {
      const report = await client.tasks.evaluation(id);
      comparisonLines(report).forEach(say);
      await client.tasks.approve(id, `the evaluation says ${report.verdict}`);
    };
    const tracker = await Promise.race([follow(client, id, say, signal, decide), failed]);
    stopWriters.abort();
    return { tracker, counts: await writing };
  } finally {
    stopWriters.abort();
  }
}

/** Shows the progress of a task until it is done. `decide` is called when it waits for an approval. */
async function follow(
  client: ReembedClient,
  taskId: string,
  say: (line: string) => void,
  signal: AbortSignal,
  decide?: () => Promise<void>,
): Promise<Tracker> {
  let isDecided = false;
  let last: Tracker | undefined;
  let shown = '';
  for await (const tracker of client.tasks.events(taskId, { signal })) {
    last = tracker;
    const { done, total } = tracker.progress;
    const line = `   ${tracker.status} ${tracker.data.phase ?? ''} ${done} of ${total}`;
    if (line !== shown) say(line);
    shown = line;
    if (tracker.status !== 'waiting' || tracker.data.phase !== 'approval' || isDecided) continue;
    isDecided = true;
    await decide?.();
  }
  signal.throwIfAborted();
  if (last?.status !== 'done') throw new Error(`the task ${taskId} ended as ${last?.status}: ${last?.detail}`);
  return last;
}

/** Formats the scores of both models and the verdict. */
function comparisonLines({ k, left, right, differences, verdict }: Evaluation): string[] {
  const row = ({ model, scores, unknownWords }: EvaluationSide) =>
    `     ${model.padEnd(26)} nDCG@${k} ${shown(scores?.ndcg)}   recall@${k} ${shown(scores?.recall)}   MRR ${shown(scores?.mrr)}   ${unknownWords} words unknown`;
  const { mean, low, high, better = 0, equal = 0, worse = 0 } = differences?.ndcg ?? {};
  return [
    row(left),
    row(right),
    `   ${verdict}: nDCG changes by ${shown(mean)} (95 %: ${shown(low)} to ${shown(high)}); ${better} queries are better, ${equal} equal, ${worse} worse`,
  ];
}

function shown(score = 0): string {
  return score.toFixed(3);
}

function resultLine(compared: Comparison, { added, changed, deleted }: WriterCounts): string {
  const { objects, lost, broughtBack, stale, unknown } = compared;
  const writes = added + changed + deleted;
  return (
    `Result: ${writes} writes during the reindex (${added} added, ${changed} changed, ${deleted} deleted); ` +
    `${objects} objects compared: ${lost} lost, ${broughtBack} brought back, ${stale} stale, ${unknown} unknown`
  );
}

async function readFinished(file: string): Promise<Finished | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Finished;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function lookAgain(client: ReembedClient, finished: Finished, say: (line: string) => void): Promise<void> {
  const now = await computeDigest(client.objects.stream(ALIAS));
  const same = now.digest === finished.digest;
  say(
    same
      ? `The tour has already run here: the ${now.objects} objects of "${ALIAS}" are unchanged`
      : `The tour has already run here: "${ALIAS}" has been written to since (${now.objects} objects now, ${finished.objects} then)`,
  );
}

/** Removes what an interrupted tour left behind. */
async function clearLeftOvers(client: ReembedClient, say: (line: string) => void): Promise<void> {
  const left = (await client.indexes.list()).filter(({ name }) => name === OLD || name === NEW);
  if (left.length === 0) return;
  say('an earlier tour was interrupted here: starting again');
  for (const status of ['processing', 'waiting', 'paused', 'failed', 'pending'] as const) {
    for await (const { id } of client.tasks.list({ status })) await client.tasks.cancel(id, 'a new tour');
  }
  for (const { name } of left) await client.tasks.deleteIndex({ index: name, force: true }, { wait: true });
}
