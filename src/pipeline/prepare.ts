import pLimit from 'p-limit';
import type { Embedder } from '../contract/embedder.ts';
import type { IndexConfig } from '../contract/indexes.ts';
import type { Metadata, Payload } from '../contract/objects.ts';
import type { FailedItem } from '../contract/tasks.ts';
import type { Vector } from '../contract/vectors.ts';
import { Pace } from '../cpu/pace.ts';
import { contentHasher, haveSameText } from './content-hash.ts';
import { EmbedSession } from './embed.ts';
import { type Failure, failureFrom } from './failure.ts';
import type { Loader } from './load.ts';
import { Deferred, LoadGroup } from './load-group.ts';
import { loadWithRetries, type Sleep } from './load-with-retries.ts';
import { partsOf } from './parts-of.ts';
import type { Part } from './split.ts';
import { averageOf } from './vectors.ts';

/** An object to prepare: an `Item` of the API, or a stored object that a reindex copies (which may have both). */
export interface PrepareItem {
  id: string;
  /** Wins over `uri`, which is then only kept. */
  payload?: Payload | null;
  uri?: string | null;
  metadata?: Metadata;
  originalId?: string | null;
}

export interface PreparedPart {
  /** From 0; the average comes after the last part. */
  part: number;
  /** Of the text in UTF-16 code units; of the average, that of all parts. */
  start: number;
  end: number;
  isAverage: boolean;
  embedding: Vector;
}

export interface PreparedObject {
  id: string;
  payload: Payload;
  uri: string | null;
  metadata: Metadata;
  originalId: string | null;
  /** See `contentHasher`. */
  hash: string;
  /** The stored vectors are right: `parts` is empty and the model was not asked. */
  unchanged: boolean;
  /** A field of the payload that is not embedded differs from what is stored; only of an unchanged object. */
  payloadChanged: boolean;
  parts: PreparedPart[];
}

export interface PrepareOptions {
  config: IndexConfig;
  embedder: Embedder;
  loader: Loader;
  signal?: AbortSignal;
  /** Hashes of the objects that the index holds with vectors (not of failed or deleted ones), by id. */
  known?: (ids: string[]) => Promise<ReadonlyMap<string, string>>;
  /** Tries of one load. */
  loadAttempts?: number;
  /** Calls of the embedder in flight. */
  concurrency?: number;
  sleep?: Sleep;
  /** Of a call of the embedder; see `EmbedOptions`. */
  maxWaitMs?: number | undefined;
  /** Waits between the calls that find out why one failed. */
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  /**
   * Called when the model stops the work: waits until it may go on, or throws. `hasProgressed` tells whether anything was
   * finished since the last time.
   */
  wait?: (error: unknown, hasProgressed: boolean) => Promise<void>;
  /** Called after each wait with the ids that are left; returns those that are still to be embedded. */
  stillWanted?: (ids: string[]) => Promise<ReadonlySet<string>>;
}

export interface Prepared {
  ready: PreparedObject[];
  failed: FailedItem[];
  /** Ids of objects that nobody wants any more. */
  dropped: string[];
}

/** An object on its way; `failed` ends it. */
interface Work {
  item: PrepareItem;
  payload?: Payload;
  hash: string;
  unchanged: boolean;
  payloadChanged: boolean;
  parts: Part[];
  vectors: Vector[];
  failed?: Failure;
}

const LOADS_AT_ONCE = 8;
const LOAD_ATTEMPTS = 10;

/**
 * Loads, splits and embeds a batch of objects (a few hundred), as many at once as there is memory for what is loaded. Each
 * object fails alone, with its stage and reason. Yields what is finished each time the model stops the work, so that it can be
 * written before `wait` is called; without `wait`, the error of the model is thrown then. There is one portion at least, each
 * in the order of `items`. Rejects when the signal is aborted, and when `known` or `wait` does.
 */
export async function* prepareObjects(
  items: readonly PrepareItem[],
  options: PrepareOptions,
): AsyncGenerator<Prepared, void> {
  options.signal?.throwIfAborted();
  const all: Work[] = items.map((item) => ({
    item,
    hash: '',
    unchanged: false,
    payloadChanged: false,
    parts: [],
    vectors: [],
  }));
  let left = all;
  // No items are one portion too.
  do {
    const group = new LoadGroup(options.signal);
    try {
      const deferred = await loadSome(left, group, options);
      const works = deferred.size === 0 ? left : left.filter((work) => !deferred.has(work));
      left = left.filter((work) => deferred.has(work));
      await markUnchanged(alive(works), options);
      await splitAll(changed(works), options);
      yield* embedAll(works, options);
      for (const work of works) Object.assign(work, { payload: undefined, parts: [], vectors: [] });
    } finally {
      group.release();
    }
  } while (left.length > 0);
}

const alive = (all: Work[]) => all.filter(({ failed }) => failed === undefined);
const changed = (all: Work[]) => alive(all).filter(({ unchanged }) => !unchanged);

/** Loads as many as the group has room for; returns the others, which belong to the next group. */
async function loadSome(all: Work[], group: LoadGroup, options: PrepareOptions): Promise<Set<Work>> {
  const { loader, signal, sleep, loadAttempts: attempts = LOAD_ATTEMPTS } = options;
  // A place is held for one try, not while waiting for the next: a host that is down does not hold up the others.
  const limit = pLimit(LOADS_AT_ONCE);
  const deferred = new Set<Work>();
  const loadOne = async (work: Work): Promise<void> => {
    const { payload, uri } = work.item;
    const load = () => loader({ payload, uri }, { signal });
    let tries = 0;
    try {
      // What is there already needs neither a place nor a second try.
      if (payload !== undefined && payload !== null) work.payload = await load();
      else {
        const tryOnce = () => limit(() => group.load(tries++ === 0, load));
        work.payload = await loadWithRetries(tryOnce, { attempts, signal, sleep });
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Deferred) deferred.add(work);
      else work.failed = failureFrom('load', error);
    }
  };
  await Promise.all(all.map(loadOne));
  return deferred;
}

async function markUnchanged(all: Work[], { config, known }: PrepareOptions): Promise<void> {
  const hashOf = contentHasher(config);
  const pace = new Pace();
  for (const work of all) {
    work.hash = hashOf(work.payload ?? '');
    await pace.breathe();
  }
  if (known === undefined || all.length === 0) return;
  const hashes = await known(all.map(({ item }) => item.id));
  for (const work of all) {
    const stored = hashes.get(work.item.id);
    work.unchanged = stored !== undefined && haveSameText(stored, work.hash);
    work.payloadChanged = work.unchanged && stored !== work.hash;
  }
}

async function splitAll(all: Work[], options: PrepareOptions): Promise<void> {
  const pace = new Pace();
  for (const work of all) {
    options.signal?.throwIfAborted();
    const split = await partsOf(work.payload ?? '', options);
    if ('failed' in split) work.failed = split.failed;
    else work.parts = split;
    await pace.breathe();
  }
}

async function* embedAll(all: Work[], options: PrepareOptions): AsyncGenerator<Prepared, void> {
  const { config, embedder, signal, concurrency, maxWaitMs, pause } = options;
  // By place, since nothing here forbids the same id twice.
  const keys = new Map(all.map((work, at) => [work, String(at)]));
  const keyOf = (work: Work) => keys.get(work) ?? '';
  const objects = changed(all).map((work) => ({ id: keyOf(work), parts: work.parts }));
  const { metric } = config;
  const session = new EmbedSession(objects, embedder, {
    purpose: 'document',
    metric,
    signal,
    concurrency,
    maxWaitMs,
    pause,
  });
  let waiting = all;
  let dropped: string[] = [];
  for (;;) {
    const stoppedBy = await session.run();
    for (const result of session.take()) {
      const work = all[Number(result.id)];
      if (work && 'failed' in result) work.failed = result.failed;
      else if (work && 'vectors' in result) work.vectors = result.vectors;
    }
    const left = new Set(session.left);
    const finished = waiting.filter((work) => !left.has(keyOf(work)));
    waiting = waiting.filter((work) => left.has(keyOf(work)));
    if (finished.length + dropped.length > 0 || waiting.length === 0) {
      yield {
        ready: alive(finished).map((work) => preparedOf(work, config)),
        failed: finished.flatMap(({ item, failed }) => (failed ? [{ objectId: item.id, ...failed }] : [])),
        dropped,
      };
    }
    if (waiting.length === 0) return;
    if (options.wait === undefined) throw stoppedBy;
    await options.wait(stoppedBy, finished.length > 0);
    const wanted = await options.stillWanted?.(waiting.map(({ item }) => item.id));
    const unwanted = wanted ? waiting.filter(({ item }) => !wanted.has(item.id)) : [];
    for (const work of unwanted) session.drop(keyOf(work));
    waiting = waiting.filter((work) => !unwanted.includes(work));
    dropped = unwanted.map(({ item }) => item.id);
  }
}

function preparedOf(work: Work, config: IndexConfig): PreparedObject {
  const { item, payload = '', hash, unchanged, payloadChanged } = work;
  const parts: PreparedPart[] = work.parts.map(({ part, start, end }, at) => ({
    part,
    start,
    end,
    isAverage: false,
    embedding: work.vectors[at] ?? [],
  }));
  const average = config.average && parts.length > 1 ? averageOf(work.vectors, config.metric) : null;
  if (average) {
    const [start, end] = [parts[0]?.start ?? 0, parts.at(-1)?.end ?? 0];
    parts.push({ part: parts.length, start, end, isAverage: true, embedding: average });
  }
  return {
    id: item.id,
    payload,
    uri: item.uri ?? null,
    metadata: item.metadata ?? {},
    originalId: item.originalId ?? null,
    hash,
    unchanged,
    payloadChanged,
    parts,
  };
}
