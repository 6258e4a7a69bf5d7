import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createClient, type ReembedClient } from '../../client/http/client.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { type NounGloss, readNounGlosses } from './corpus.ts';
import { type Comparison, digestOf, WriteRecord } from './record.ts';
import { searchLines, searchMeanings } from './searches.ts';
import { type WriterCounts, writeUntil } from './writer.ts';

/** What the tour works with: a running `reembed dev`. */
export interface TourContext {
  /** Address of the API. */
  baseUrl: string;
  /** Token of the API, if it wants one. */
  token: string | undefined;
  dataDir: string;
  /** Gets the lines that people are to read. */
  say: (line: string) => void;
  /** Aborted when `dev` stops; the tour then ends soon. */
  signal: AbortSignal;
}

const ALIAS = 'glosses';
const OLD = 'glosses-v1';
const NEW = 'glosses-v2';
/** Objects copied in a second: slow enough that users get to write a lot meanwhile. */
const COPY_RATE = 500;

/** What the tour keeps in the data directory, to recognise its objects at the next start. */
interface Finished {
  objects: number;
  digest: string;
}

/**
 * The main job on real text: glosses of WordNet are indexed with a model that knows letters only, then, while users go
 * on writing, the index is rebuilt with one that knows meanings; every object is compared with the tour's own record.
 * A data directory in which the tour was finished is only looked at.
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
  say('   Searches by other words than the glosses use:');
  searchLines(await searchMeanings(client, ALIAS)).forEach(say);

  say('');
  say(
    `2. ${OLD} is rebuilt into ${NEW} with the model "words" at ${COPY_RATE} objects per second, while four users go on`,
  );
  say(`   writing to "${ALIAS}"`);
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

/** Starts the reindex with writers beside it, who go on a little after the cut-over too. */
async function rebuild(client: ReembedClient, record: WriteRecord, { say, signal }: TourContext) {
  const stopWriters = new AbortController();
  const stop = AbortSignal.any([stopWriters.signal, signal]);
  const writing = writeUntil(client, ALIAS, record, stop);
  // Whatever ends first: a writer that fails must not go unnoticed until the reindex is done.
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
    });
    const tracker = await Promise.race([follow(client, id, say, signal), failed]);
    stopWriters.abort();
    return { tracker, counts: await writing };
  } finally {
    stopWriters.abort();
  }
}

/** Shows the progress of a task until it is done. */
async function follow(
  client: ReembedClient,
  taskId: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Tracker> {
  let last: Tracker | undefined;
  let shown = '';
  for await (const tracker of client.tasks.events(taskId, { signal })) {
    last = tracker;
    const { done, total } = tracker.progress;
    const line = `   ${tracker.status} ${tracker.data.phase ?? ''} ${done} of ${total}`;
    if (line !== shown) say(line);
    shown = line;
  }
  signal.throwIfAborted();
  if (last?.status !== 'done') throw new Error(`the task ${taskId} ended as ${last?.status}: ${last?.detail}`);
  return last;
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
  const now = await digestOf(client.objects.stream(ALIAS));
  const same = now.digest === finished.digest;
  say(
    same
      ? `The tour was finished here before: the ${now.objects} objects of "${ALIAS}" are as it left them`
      : `The tour was finished here before: "${ALIAS}" has ${now.objects} objects now, ${finished.objects} then; it was written to since`,
  );
}

/** Takes away what a tour that was broken off has left. */
async function clearLeftOvers(client: ReembedClient, say: (line: string) => void): Promise<void> {
  const left = (await client.indexes.list()).filter(({ name }) => name === OLD || name === NEW);
  if (left.length === 0) return;
  say('a tour was broken off here: it begins anew');
  for (const status of ['processing', 'waiting', 'paused', 'failed', 'pending'] as const) {
    for await (const { id } of client.tasks.list({ status })) await client.tasks.cancel(id, 'a new tour');
  }
  for (const { name } of left) await client.tasks.deleteIndex({ index: name, force: true }, { wait: true });
}
