import { setTimeout as delay } from 'node:timers/promises';
import { type CallSize, type Embedder, type EmbedPurpose, PartialAnswer } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { Vector } from '../contract/vectors.ts';

export interface CallOptions {
  purpose: EmbedPurpose;
  signal: AbortSignal;
  /** Calls of the embedder in flight. */
  concurrency: number;
  /** Of one call; see `EmbedOptions`. */
  maxWaitMs?: number | undefined;
  /** Waits before a call is made again. */
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What becomes of each text. */
export interface TextSink {
  /** False once nobody needs the vector any more: the text is left out. */
  isWanted(text: string): boolean;
  keep(text: string, vector: Vector): void;
  fail(text: string, error: ReembedError): void;
}

/** Known to be fine for every model: what it answers to this says whether the model or a text is to blame. */
const PROBE = 'hello';
/** Before a failed call is made again, and before each further try of a text that fails alone. */
const RETRY_MS = [500, 1_000, 2_000] as const;
/** Tries of a text alone that is known to break the calls it is in. */
const GUILTY_TRIES = 2;

type Failed = { kind: 'stop' | 'rejected' | 'timeout' | 'broken'; error: unknown; texts: string[] };

/**
 * Embeds texts, in calls as large and as many as the model takes, and finds those that it cannot embed. Ends with null
 * when each text has a vector or has failed; else with the error that has stopped it, which says nothing about a text:
 * what has arrived until then is kept, and the rest can be tried again later. Rejects only when the signal is aborted.
 *
 * A call that fails is made once more, since most failures are gone then. If it fails again while the model answers to
 * a text that is known to be fine, one of its texts is to blame, or the size of the call: halves of it are tried until
 * that is found. One bad text among n costs some 2·log2(n) calls. What is found out about sizes is kept in the pace.
 */
export async function embedTexts(
  texts: readonly string[],
  embedder: Embedder,
  sink: TextSink,
  options: CallOptions,
): Promise<unknown> {
  const run = new Run(texts, embedder, sink, options);
  await run.all();
  options.signal.throwIfAborted();
  return run.stoppedBy;
}

class Run {
  /** The first error that says nothing about a text; with it no call begins any more. */
  stoppedBy: unknown = null;
  /** The next one is the last. */
  private readonly queue: string[];
  private readonly embedder: Embedder;
  private readonly sink: TextSink;
  private readonly options: CallOptions;
  /** Those that once timed out alone. */
  private readonly slow = new Set<string>();
  private answered = false;

  constructor(texts: readonly string[], embedder: Embedder, sink: TextSink, options: CallOptions) {
    this.queue = texts.toReversed();
    this.embedder = embedder;
    this.sink = sink;
    this.options = options;
  }

  async all(): Promise<void> {
    const work = async () => {
      while (!this.isOver() && this.queue.length > 0) await this.one();
    };
    // All of them: nothing of this goes on once it has been answered. What one puts back, it takes again itself.
    const results = await Promise.allSettled(Array.from({ length: this.options.concurrency }, work));
    for (const result of results) if (result.status === 'rejected') this.stoppedBy ??= result.reason;
  }

  /** Makes one call and does what its failure asks for. */
  private async one(): Promise<void> {
    const failed = await this.call(() => this.take());
    if (failed) await this.settle(failed);
  }

  private isOver(): boolean {
    return this.stoppedBy !== null || this.options.signal.aborted;
  }

  private stop(error: unknown): void {
    this.stoppedBy ??= error;
  }

  /** The next texts of one call, once it is its turn: limits may have been learned until then. */
  private take(): string[] {
    const { maxTexts, maxChars } = this.embedder;
    const batch: string[] = [];
    let chars = 0;
    while (this.queue.length > 0 && batch.length < maxTexts) {
      const text = this.queue.at(-1) as string;
      // A text that is longer goes alone.
      if (batch.length > 0 && chars + text.length > maxChars) break;
      this.queue.pop();
      if (!this.sink.isWanted(text)) continue;
      batch.push(text);
      chars += text.length;
    }
    return batch;
  }

  private putBack(texts: readonly string[]): void {
    this.queue.push(...texts.toReversed());
  }

  private async call(choose: () => string[]): Promise<Failed | null> {
    const { embedder, options } = this;
    const leave = (await embedder.pace?.enter(options.signal)) ?? (() => {});
    let texts: string[] = [];
    const startMs = Date.now();
    try {
      if (this.isOver()) return null;
      texts = choose();
      if (texts.length === 0) return null;
      const { purpose, signal, maxWaitMs } = options;
      const vectors = await embedder.embed(texts, { purpose, signal, maxWaitMs });
      this.keep(texts, checked(vectors, texts, embedder.dimensions), startMs);
      return null;
    } catch (error) {
      options.signal.throwIfAborted();
      if (error instanceof PartialAnswer) {
        this.keep(texts, error.vectors, startMs);
        texts = texts.filter((_, at) => error.vectors[at] === null);
      }
      const kind = this.kindOf(error);
      if (kind === 'timeout') embedder.pace?.timedOut(sizeOf(texts), Date.now() - startMs);
      return { kind, error, texts };
    } finally {
      leave();
    }
  }

  private keep(texts: readonly string[], vectors: readonly (Vector | null)[], startMs: number): void {
    this.answered = true;
    this.embedder.pace?.answered(sizeOf(texts), Date.now() - startMs);
    for (const [at, text] of texts.entries()) {
      const vector = vectors[at];
      if (vector) this.sink.keep(text, vector);
    }
  }

  private kindOf(error: unknown): Failed['kind'] {
    if (!(error instanceof ReembedError)) return 'stop';
    // A call that may not wait is not made again either.
    const mayTryAgain = this.options.maxWaitMs === undefined;
    if (!mayTryAgain && error.type !== 'ModelRejectedInput') return 'stop';
    switch (error.type) {
      case 'ModelRejectedInput':
        return 'rejected';
      case 'ModelUnavailable':
        return error.reason === 'timeout' ? 'timeout' : 'broken';
      case 'ModelBadAnswer':
        return 'broken';
      case 'ModelWrongDimension':
        // Of a model that has answered rightly before, this may be one strange answer.
        return this.answered || this.embedder.pace?.hasAnswered ? 'broken' : 'stop';
      default:
        return 'stop';
    }
  }

  private async settle(failed: Failed): Promise<void> {
    switch (failed.kind) {
      case 'stop':
        return this.stop(failed.error);
      case 'timeout':
        return this.afterTimeout(failed);
      case 'broken':
        return this.afterBroken(failed);
      case 'rejected': {
        const { pace } = this.embedder;
        if (pace) await pace.inTurn(() => this.afterRejected(failed));
        else await this.divide(failed);
      }
    }
  }

  private async afterRejected(failed: Failed): Promise<void> {
    if (this.isOver()) return;
    const { texts } = failed;
    const { chars } = sizeOf(texts);
    // Learned since the call was made: it is too large for this model.
    const isTooLarge = texts.length > this.embedder.maxTexts || chars > this.embedder.maxChars;
    if (isTooLarge && texts.length > 1) this.putBack(texts);
    else await this.divide(failed);
  }

  private async afterTimeout({ texts, error }: Failed): Promise<void> {
    const [text = ''] = texts;
    if (!(await this.isModelThere(error))) return;
    if (texts.length > 1 || !this.slow.has(text)) {
      if (texts.length === 1) this.slow.add(text);
      this.putBack(texts);
    } else {
      this.sink.fail(text, error as ReembedError);
    }
  }

  private async afterBroken({ texts }: Failed): Promise<void> {
    await this.pause(RETRY_MS[0]);
    const again = await this.call(() => texts);
    if (again === null || this.isOver()) return;
    if (again.kind !== 'broken') return this.settle(again);
    if (!(await this.isModelThere(again.error))) return;
    if (again.texts.length === 1) await this.tryAlone(again, RETRY_MS.length);
    else await this.divide(again);
  }

  /** Asks with a text that is fine; if that fails too, the model is to blame, and all of this stops. */
  private async isModelThere(error: unknown): Promise<boolean> {
    if (this.isOver()) return false;
    let answer: Vector[] | undefined;
    const leave = (await this.embedder.pace?.enter(this.options.signal)) ?? (() => {});
    try {
      const { purpose, signal, maxWaitMs } = this.options;
      answer = await this.embedder.embed([PROBE], { purpose, signal, maxWaitMs });
      checked(answer, [PROBE], this.embedder.dimensions);
      return true;
    } catch (probed) {
      this.options.signal.throwIfAborted();
      this.stop(probed instanceof ReembedError && probed.type !== 'ModelRejectedInput' ? probed : error);
      return false;
    } finally {
      leave();
    }
  }

  /** Texts that fail together: tried in halves, or as many at once as the refusal names. True if all are embedded. */
  private async divide({ texts, error, kind }: Failed): Promise<boolean> {
    if (this.isOver()) return false;
    if (texts.length === 1) return this.alone({ texts, error, kind });
    const { pace } = this.embedder;
    const said = error instanceof Error ? error.message : '';
    const size = sizeOf(texts);
    const step = (kind === 'rejected' && pace?.hintOf(size, said)) || Math.ceil(texts.length / 2);
    let areAllFine = true;
    // Both halves are always asked: a refusal may be about the batch as a whole, so that one good half says nothing.
    for (let at = 0; at < texts.length && !this.isOver(); at += step) {
      const part = texts.slice(at, at + step).filter((text) => this.sink.isWanted(text));
      const failed = await this.call(() => part);
      if (failed === null) continue;
      if (failed.kind === 'stop') this.stop(failed.error);
      areAllFine = failed.kind !== 'stop' && (await this.divide(failed)) && areAllFine;
    }
    if (areAllFine && !this.isOver()) pace?.tooLarge(size, said, kind === 'rejected');
    return areAllFine;
  }

  private async alone(failed: Failed): Promise<boolean> {
    if (failed.kind !== 'rejected') return this.tryAlone(failed, GUILTY_TRIES);
    this.sink.fail(failed.texts[0] as string, failed.error as ReembedError);
    return false;
  }

  /** A text that fails alone has these tries left; then it has failed, unless the model is to blame. */
  private async tryAlone({ texts, error }: Failed, tries: number): Promise<boolean> {
    let last = error;
    for (let attempt = 0; attempt < tries; attempt++) {
      await this.pause(RETRY_MS[attempt] ?? RETRY_MS[0]);
      if (this.isOver()) return false;
      const failed = await this.call(() => texts);
      if (failed === null) return !this.isOver();
      last = failed.error;
      if (failed.kind === 'stop') this.stop(last);
      if (failed.kind === 'rejected') break;
    }
    if (await this.isModelThere(last)) this.sink.fail(texts[0] as string, ofOneText(last as ReembedError));
    return false;
  }

  private async pause(ms: number): Promise<void> {
    const { signal, pause = (forMs: number) => delay(forMs, undefined, { signal }) } = this.options;
    await pause(ms, signal);
  }
}

/** A model that has the right dimension for another text has given a bad answer to this one. */
function ofOneText(error: ReembedError): ReembedError {
  return error.type === 'ModelWrongDimension' ? new ReembedError('ModelBadAnswer', error.message) : error;
}

function sizeOf(texts: readonly string[]): CallSize {
  return { texts: texts.length, chars: texts.reduce((sum, text) => sum + text.length, 0) };
}

/** For models given in code, which nothing else checks. */
function checked(vectors: Vector[], texts: readonly string[], dimensions: number): Vector[] {
  if (vectors.length !== texts.length) {
    const message = `the model gave ${vectors.length} vectors for ${texts.length} texts`;
    throw new ReembedError('ModelBadAnswer', message);
  }
  const wrong = vectors.find(({ length }) => length !== dimensions);
  if (wrong) {
    const message = `the model gave ${wrong.length} dimensions instead of ${dimensions}`;
    throw new ReembedError('ModelWrongDimension', message);
  }
  return vectors;
}
