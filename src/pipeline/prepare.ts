import pLimit from 'p-limit';
import { languageOf } from '../contract/full-text.ts';
import type { IndexConfig } from '../contract/indexes.ts';
import type { Payload } from '../contract/objects.ts';
import { tokenizerNameOf } from '../contract/splitter.ts';
import type { FailedItem } from '../contract/tasks.ts';
import { usesHalf } from '../contract/vector-index.ts';
import type { Vector } from '../contract/vectors.ts';
import { Pace } from '../cpu/pace.ts';
import { contentHasher, haveSameText } from './content-hash.ts';
import { cuttingsOf } from './cut.ts';
import { EmbedSession } from './embed.ts';
import { embedSteps } from './embed-steps.ts';
import { type Failure, failureFrom } from './failure.ts';
import { withPieces } from './halve.ts';
import { Deferred, LoadGroup } from './load-group.ts';
import { loadWithRetries } from './load-with-retries.ts';
import { onlyPart, partsOf } from './parts-of.ts';
import { findKnown, type PrepareOptions } from './prepare-options.ts';
import type { PreparedObject, PreparedPart, PrepareItem } from './prepared.ts';
import type { Admit } from './read-limited.ts';
import { type Resolved, resolveReady } from './ready.ts';
import type { Part } from './split.ts';
import { assertStorable } from './storable.ts';
import { textKeysOf } from './text-key.ts';
import { textOf } from './text-of.ts';
import { averageOf } from './vectors.ts';

export interface Prepared {
  ready: PreparedObject[];
  failed: FailedItem[];
  /** Texts of these objects for which the model was not asked: their vectors were stored, or those of an equal text. */
  reused: number;
  /** Texts that the model did not read to their end, and that were split again, since the last portion. */
  truncated: number;
  /** Ids of objects that nobody wants any more. */
  dropped: string[];
}

/** An object in progress; `failed` ends it. */
interface Work {
  item: PrepareItem;
  /** Its position in its group, since the same id may occur twice. */
  key: string;
  payload?: Payload;
  hash: string;
  unchanged: boolean;
  payloadChanged: boolean;
  parts: Part[];
  vectors: Vector[];
  /** What becomes of ready parts. */
  resolved?: Exclude<Resolved, { failed: Failure }>;
  reused: number;
  failed?: Failure;
}

const LOADS_AT_ONCE = 8;
const LOAD_ATTEMPTS = 10;
/** How often to check between calls whether objects are still wanted. */
const LOOK_EVERY_MS = 1_000;

/**
 * Loads, splits and embeds a batch of objects (a few hundred), as many at a time as memory allows. Each object fails
 * alone, with its stage and reason. Yields the finished objects each time the model stops the work, so that they can be
 * written before `wait` is called, and as often as `yieldEveryMs` says; without `wait`, it then throws the model's
 * error. Yields at least one portion, each in the order of `items`. Rejects if the signal is aborted, or if `known` or
 * `wait` rejects.
 */
export async function* prepareObjects(
  items: readonly PrepareItem[],
  options: PrepareOptions,
): AsyncGenerator<Prepared, void> {
  options.signal?.throwIfAborted();
  const all: Work[] = items.map((item) => ({
    item,
    key: '',
    hash: '',
    unchanged: false,
    payloadChanged: false,
    parts: [],
    vectors: [],
    reused: 0,
  }));
  let left = all;
  // Without items there is one empty portion.
  do {
    const group = new LoadGroup(options.signal);
    try {
      const deferred = await loadSome(left, group, options);
      const works = deferred.size === 0 ? left : left.filter((work) => !deferred.has(work));
      left = left.filter((work) => deferred.has(work));
      await resolveAll(works, options);
      await markUnchanged(alive(works), options);
      await splitAll(changed(works), options);
      yield* embedAll(works, options);
      for (const work of works)
        Object.assign(work, { payload: undefined, parts: [], vectors: [], resolved: undefined });
    } finally {
      group.release();
    }
  } while (left.length > 0);
}

const alive = (all: Work[]) => all.filter(({ failed }) => failed === undefined);
const changed = (all: Work[]) => alive(all).filter(({ unchanged }) => !unchanged);

/** Loads as many objects as the group has room for; returns the others, which belong to the next group. */
async function loadSome(all: Work[], group: LoadGroup, options: PrepareOptions): Promise<Set<Work>> {
  const { loader, signal, sleep, loadAttempts: attempts = LOAD_ATTEMPTS } = options;
  // A slot is held for one attempt, not during the wait for the next: a host that is down does not block the others.
  const limit = pLimit(LOADS_AT_ONCE);
  const deferred = new Set<Work>();
  const loadOne = async (work: Work): Promise<void> => {
    const load = (admit?: Admit) => loader({ uri: work.item.uri }, { signal, admit });
    let tries = 0;
    try {
      const tryOnce = () => limit(() => group.load(tries++ === 0, load));
      work.payload = await loadWithRetries(tryOnce, { attempts, signal, sleep });
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Deferred) deferred.add(work);
      else work.failed = failureFrom('load', error);
    }
  };
  await Promise.all(all.filter((work) => !takeGiven(work)).map(loadOne));
  return deferred;
}

/** Takes a payload that came with the item, which needs no load; returns false if there is none. */
function takeGiven(work: Work): boolean {
  const { payload } = work.item;
  if (payload === undefined || payload === null) return false;
  try {
    assertStorable(payload);
    work.payload = payload;
  } catch (error) {
    work.failed = failureFrom('load', error);
  }
  return true;
}

async function resolveAll(works: Work[], options: PrepareOptions): Promise<void> {
  const hashOf = contentHasher(options.config);
  const pace = new Pace();
  for (const work of alive(works)) {
    const { payload = '', item } = work;
    const { metadata = {}, ready } = item;
    const hash = hashOf(payload, { pace, metadata });
    work.hash = typeof hash === 'string' ? hash : await hash;
    if (pace.isDue) await pace.breathe();
    if (!ready) continue;
    const resolved = await resolveReady({ ready, payload, metadata, plain: work.hash }, options);
    if ('failed' in resolved) work.failed = resolved.failed;
    else Object.assign(work, { resolved, hash: resolved.hash });
  }
}

async function markUnchanged(all: Work[], { known }: PrepareOptions): Promise<void> {
  if (known === undefined || all.length === 0) return;
  const hashes = await known(all.map(({ item }) => item.id));
  for (const work of all) {
    const stored = hashes.get(work.item.id);
    // Vectors that came along may differ for the same text.
    const isSame =
      work.resolved && 'vectors' in work.resolved ? stored === work.hash : haveSameText(stored ?? '', work.hash);
    work.unchanged = stored !== undefined && isSame;
    work.payloadChanged = work.unchanged && stored !== work.hash;
  }
}

async function splitAll(all: Work[], options: PrepareOptions): Promise<void> {
  const pace = new Pace();
  const { config, embedder, tokenizerDir, signal } = options;
  const cuttingFor = cuttingsOf(config, tokenizerDir);
  const partOptions = { config, embedder, tokenizerDir, signal };
  for (const work of all) {
    signal?.throwIfAborted();
    const { resolved, payload = '', item } = work;
    if (resolved && 'texts' in resolved) work.parts = resolved.texts;
    if (resolved && !('usual' in resolved)) continue;
    // Most objects have one part, for which promises would cost more than the work.
    const whole = embedder.knows
      ? undefined
      : onlyPart(textOf(payload, config.splitter.fields), cuttingFor(item.metadata));
    const split = whole ? [whole] : await partsOf(payload, { ...partOptions, metadata: item.metadata });
    if ('failed' in split) work.failed = split.failed;
    else work.parts = split;
    if (pace.isDue) await pace.breathe();
  }
}

async function* embedAll(all: Work[], options: PrepareOptions): AsyncGenerator<Prepared, void> {
  const { config, embedder, signal, concurrency, maxWaitMs, pause } = options;
  for (const [at, work] of all.entries()) work.key = String(at);
  const objects = changed(all).map(({ key, parts }) => ({ id: key, parts }));
  const textKeyOf = onceEach(textKeysOf(config.model));
  const known = await findKnown(
    changed(all).map(({ item, parts }) => ({ id: item.id, parts })),
    textKeyOf,
    options,
  );
  const { metric } = config;
  /** Since the last portion. */
  const dropped = new Set<Work>();
  let lookedMs = (options.areFresh ?? true) ? Date.now() : 0;
  let looking = Promise.resolve();
  const lookNow = async () => {
    const left = session.left.flatMap((key) => all[Number(key)] ?? []);
    const wanted = await options.stillWanted?.(left.map(({ item }) => item.id));
    for (const work of left) {
      if (!wanted || wanted.has(work.item.id)) continue;
      dropped.add(work);
      session.drop(work.key);
    }
  };
  // Concurrent callers share a check in progress and wait for its result.
  const look = (isDue: boolean) => {
    if (isDue || Date.now() - lookedMs >= LOOK_EVERY_MS) {
      lookedMs = Date.now();
      looking = lookNow();
    }
    return looking;
  };
  const session = new EmbedSession(objects, embedder, {
    purpose: 'document',
    metric,
    isHalf: usesHalf(config),
    signal,
    concurrency,
    maxWaitMs,
    areCounted: tokenizerNameOf(config.splitter, config.model) !== 'estimate',
    pause,
    look,
    known,
  });
  let waiting = all;
  let truncatedBefore = 0;
  /** Since the model was last waited for. */
  let hasProgressed = false;
  const take = (): Prepared | null => {
    for (const result of session.take()) {
      const work = all[Number(result.id)];
      if (work && 'failed' in result) work.failed = result.failed;
      else if (work && 'vectors' in result) {
        Object.assign(work, { vectors: result.vectors, reused: result.reused ?? 0 });
        if (result.split) work.parts = withPieces(work.parts, result.split);
      }
    }
    const left = new Set(session.left);
    const gone = [...dropped];
    const finished = waiting.filter((work) => !left.has(work.key) && !dropped.has(work));
    waiting = waiting.filter((work) => left.has(work.key));
    dropped.clear();
    if (finished.length + gone.length === 0) return null;
    hasProgressed ||= finished.length > 0;
    const truncated = session.truncated - truncatedBefore;
    truncatedBefore = session.truncated;
    return {
      ready: alive(finished).map((work) => preparedOf(work, config, textKeyOf)),
      reused: alive(finished).reduce((sum, { reused }) => sum + reused, 0),
      truncated,
      failed: finished.flatMap(({ item, failed }) => (failed ? [{ objectId: item.id, ...failed }] : [])),
      dropped: gone.map(({ item }) => item.id),
    };
  };
  if (all.length === 0) yield { ready: [], reused: 0, truncated: 0, failed: [], dropped: [] };
  while (waiting.length > 0) {
    let stoppedBy: unknown;
    for await (const step of embedSteps(session, { everyMs: options.yieldEveryMs, signal })) {
      const portion = take();
      if (portion) yield portion;
      if (step.hasEnded) stoppedBy = step.stoppedBy;
    }
    if (waiting.length === 0) return;
    if (options.wait === undefined) throw stoppedBy;
    await options.wait(stoppedBy, hasProgressed);
    hasProgressed = false;
    await look(true);
  }
}

/** Remembers what a function returned for each text. */
function onceEach(of: (text: string) => string): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const value = known.get(text) ?? of(text);
    known.set(text, value);
    return value;
  };
}

function preparedOf(work: Work, config: IndexConfig, textKeyOf: (text: string) => string): PreparedObject {
  const { item, payload = '', hash, unchanged, payloadChanged } = work;
  const language = config.fullText && languageOf(config.fullText, item.metadata ?? {});
  const parts = work.parts.map(({ part, start, end, text }, at) => {
    const made: PreparedPart = {
      part,
      start,
      end,
      isAverage: false,
      embedding: work.vectors[at] ?? [],
      textKey: textKeyOf(text),
    };
    if (language) made.words = { language, text };
    return made;
  });
  if (work.resolved && 'vectors' in work.resolved && !unchanged) parts.push(...work.resolved.vectors);
  const vectors = parts.map(({ embedding }) => embedding);
  const average = config.average && parts.length > 1 ? averageOf(vectors, config.metric) : null;
  if (average) {
    const [start, end] = [parts[0]?.start ?? null, parts.at(-1)?.end ?? null];
    parts.push({ part: parts.length, start, end, isAverage: true, embedding: average, textKey: null });
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
