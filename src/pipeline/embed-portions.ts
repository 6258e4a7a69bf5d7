import { languageOf } from '../contract/full-text.ts';
import type { IndexConfig } from '../contract/indexes.ts';
import { tokenizerNameOf } from '../contract/splitter.ts';
import { usesHalf } from '../contract/vector-index.ts';
import { EmbedSession } from './embed.ts';
import { embedSteps } from './embed-steps.ts';
import { withPieces } from './halve.ts';
import { findKnown, type PrepareOptions } from './prepare-options.ts';
import type { Prepared, PreparedObject, PreparedPart } from './prepared.ts';
import { textKeysOf } from './text-key.ts';
import { averageOf } from './vectors.ts';
import { alive, changed, type Work } from './work.ts';

/** How often to check between calls whether objects are still wanted. */
const LOOK_EVERY_MS = 1_000;

/** Embeds split objects, and yields what is finished as `prepareObjects` says. */
export async function* embedPortions(all: Work[], options: PrepareOptions): AsyncGenerator<Prepared, void> {
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
