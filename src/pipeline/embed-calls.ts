import { setTimeout as delay } from 'node:timers/promises';
import { type CallSize, type Embedder, type EmbedPurpose, PartialAnswer } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { Vector } from '../contract/vectors.ts';
import { partsOfCall } from './parts-of-call.ts';

export interface CallOptions {
  purpose: EmbedPurpose;
  signal: AbortSignal;
  /** Max calls of the embedder in flight. */
  concurrency: number;
  /** Per call; see `EmbedOptions`. */
  maxWaitMs?: number | undefined;
  /** See `EmbedOptions`. */
  areCounted?: boolean | undefined;
  /** Waits before a call is retried. */
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Receives the result for each text. */
export interface TextSink {
  /** False when nobody needs the vector any more; the text is then skipped. */
  isWanted(text: string): boolean;
  keep(text: string, vector: Vector): void;
  /** Gives up on a text. Returns the texts to embed in its place. */
  fail(text: string, error: ReembedError): readonly string[];
  /** Updates which texts are wanted: always with `isDue`, after a call was held; otherwise only from time to time. */
  look(isDue: boolean): Promise<void>;
}

/** A text that every model accepts; its result shows whether the model or a text is to blame. */
const PROBE = 'hello';
/** Waits before a failed call is retried, and before each further attempt with a text that fails alone. */
const RETRY_MS = [500, 1_000, 2_000] as const;
/** Attempts with a single text that is known to break its calls. */
const GUILTY_TRIES = 2;

type Failed = { kind: 'stop' | 'rejected' | 'timeout' | 'broken' | 'unwanted'; error: unknown; texts: string[] };

/** Ends a call before it is made because some of its texts are no longer wanted. */
class Unwanted extends Error {}

/**
 * Embeds texts in calls as large and as many as the model accepts, and identifies those that it cannot embed. Returns
 * null when each text has a vector or has failed; otherwise the error that stopped it, which does not concern a
 * particular text. Earlier results are kept, and the rest can be retried later. Rejects only if the signal is aborted.
 *
 * A failed call is made once more, since most failures are temporary. If it fails again while the model accepts the
 * probe text, either one of its texts or the size of the call is to blame, and the call is divided to find out; see
 * `partsOfCall`. What is learned about sizes is kept in the pace.
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
  /** The first error that does not concern a particular text; no call starts after it. */
  stoppedBy: unknown = null;
  /** A stack: the next text is the last. */
  private readonly queue: string[];
  private readonly embedder: Embedder;
  private readonly sink: TextSink;
  private readonly options: CallOptions;
  /** Texts that timed out alone once. */
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
    // Wait for all workers, so that nothing continues after the result. Each worker retakes what it puts back.
    const results = await Promise.allSettled(Array.from({ length: this.options.concurrency }, work));
    for (const result of results) if (result.status === 'rejected') this.stoppedBy ??= result.reason;
  }

  /** Makes one call and handles its failure. */
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

  /** Takes the texts of the next call, only when it is its turn, since limits may have been learned until then. */
  private take(): string[] {
    const { maxTexts, maxChars } = this.embedder;
    const batch: string[] = [];
    let chars = 0;
    while (this.queue.length > 0 && batch.length < maxTexts) {
      const text = this.queue.at(-1) as string;
      // A longer text goes alone.
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

  private giveUp(text: string, error: ReembedError): void {
    this.putBack(this.sink.fail(text, error));
  }

  private async call(choose: () => string[]): Promise<Failed | null> {
    const { embedder, options } = this;
    const leave = (await embedder.pace?.enter(options.signal)) ?? (() => {});
    let texts: string[] = [];
    const startMs = Date.now();
    try {
      await this.sink.look(false);
      if (this.isOver()) return null;
      texts = choose();
      if (texts.length === 0) return null;
      const { purpose, signal, maxWaitMs, areCounted } = options;
      const afterHold = () => this.requireWanted(texts);
      const vectors = await embedder.embed(texts, { purpose, signal, maxWaitMs, areCounted, afterHold });
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

  private async requireWanted(texts: readonly string[]): Promise<void> {
    await this.sink.look(true);
    if (!texts.every((text) => this.sink.isWanted(text))) throw new Unwanted();
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
    if (error instanceof Unwanted) return 'unwanted';
    if (!(error instanceof ReembedError)) return 'stop';
    // A call that must not wait is not retried either.
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
        // If the model has returned the right dimension before, this may be a single odd response.
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
      case 'unwanted':
        return this.putBack(failed.texts);
      case 'rejected': {
        const { pace } = this.embedder;
        if (pace) await pace.inTurn(() => this.afterRejected(failed));
        else await this.divide(failed);
      }
    }
  }

  private async afterRejected(failed: Failed): Promise<void> {
    if (this.isOver()) return;
    if (this.isTooLarge(failed.texts)) this.putBack(failed.texts);
    else await this.divide(failed);
  }

  /** Whether a call is too large by limits that were learned after its texts were chosen. */
  private isTooLarge(texts: readonly string[]): boolean {
    const { maxTexts, maxChars } = this.embedder;
    return texts.length > 1 && (texts.length > maxTexts || sizeOf(texts).chars > maxChars);
  }

  private async afterTimeout({ texts, error }: Failed): Promise<void> {
    const [text = ''] = texts;
    if (!(await this.isModelThere(error))) return;
    if (texts.length > 1 || !this.slow.has(text)) {
      if (texts.length === 1) this.slow.add(text);
      this.putBack(texts);
    } else {
      this.giveUp(text, error as ReembedError);
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

  /** Calls the model with the probe text. If that fails too, the model is to blame and the run stops. */
  private async isModelThere(error: unknown): Promise<boolean> {
    if (this.isOver()) return false;
    let answer: Vector[] | undefined;
    const leave = (await this.embedder.pace?.enter(this.options.signal)) ?? (() => {});
    try {
      const { purpose, signal, maxWaitMs } = this.options;
      answer = await this.embedder.embed([PROBE], { purpose, signal, maxWaitMs });
      checked(answer, [PROBE], this.embedder.dimensions);
      this.answered = true;
      return true;
    } catch (probed) {
      this.options.signal.throwIfAborted();
      this.stop(probed instanceof ReembedError && probed.type !== 'ModelRejectedInput' ? probed : error);
      return false;
    } finally {
      leave();
    }
  }

  /** Divides texts that fail together. Returns true if all are embedded. */
  private async divide({ texts, error, kind }: Failed): Promise<boolean> {
    if (this.isOver()) return false;
    if (texts.length === 1) return this.alone({ texts, error, kind });
    const { pace } = this.embedder;
    const said = error instanceof Error ? error.message : '';
    const size = sizeOf(texts);
    const hint = kind === 'rejected' ? pace?.hintOf(size, said) : undefined;
    const isText = kind === 'rejected' && (pace?.hasAccepted(size) ?? true);
    let areAllFine = true;
    // Always try all parts: a refusal may concern the whole batch, so good ones prove nothing.
    for (const some of partsOfCall(texts, { isText, said, hint })) {
      if (this.isOver()) break;
      const part = some.filter((text) => this.sink.isWanted(text));
      if (this.isTooLarge(part)) {
        this.putBack(part);
        areAllFine = false;
        continue;
      }
      const failed = await this.call(() => part);
      if (failed === null) continue;
      if (failed.kind === 'stop' || failed.kind === 'unwanted') {
        await this.settle(failed);
        areAllFine = false;
      } else {
        areAllFine = (await this.divide(failed)) && areAllFine;
      }
    }
    if (areAllFine && !this.isOver()) pace?.tooLarge(size, said, kind === 'rejected');
    return areAllFine;
  }

  private async alone(failed: Failed): Promise<boolean> {
    if (failed.kind !== 'rejected') return this.tryAlone(failed, GUILTY_TRIES);
    // A model that rejects everything is to blame, not each of the texts.
    if (!this.answered && !(await this.isModelThere(failed.error))) return false;
    this.giveUp(failed.texts[0] as string, failed.error as ReembedError);
    return false;
  }

  /** Retries a text that fails alone; it fails permanently after `tries` attempts unless the model is to blame. */
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
      if (failed.kind === 'unwanted') {
        this.putBack(failed.texts);
        return false;
      }
    }
    if (await this.isModelThere(last)) this.giveUp(texts[0] as string, ofOneText(last as ReembedError));
    return false;
  }

  private async pause(ms: number): Promise<void> {
    const { signal, pause = (forMs: number) => delay(forMs, undefined, { signal }) } = this.options;
    await pause(ms, signal);
  }
}

/** Converts the error of a model that returned the right dimension for another text: the response was bad. */
function ofOneText(error: ReembedError): ReembedError {
  return error.type === 'ModelWrongDimension' ? new ReembedError('ModelBadAnswer', error.message) : error;
}

function sizeOf(texts: readonly string[]): CallSize {
  return { texts: texts.length, chars: texts.reduce((sum, text) => sum + text.length, 0) };
}

/** Checks the vectors of models given in code, which nothing else checks. */
function checked(vectors: Vector[], texts: readonly string[], dimensions: number): Vector[] {
  if (vectors.length !== texts.length) {
    const message = `the model returned ${vectors.length} vectors for ${texts.length} texts`;
    throw new ReembedError('ModelBadAnswer', message);
  }
  const wrong = vectors.find(({ length }) => length !== dimensions);
  if (wrong) {
    const message = `the model returned ${wrong.length} dimensions instead of ${dimensions}`;
    throw new ReembedError('ModelWrongDimension', message);
  }
  return vectors;
}
