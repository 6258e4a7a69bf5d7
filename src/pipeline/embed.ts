import { type Embedder, type EmbedPurpose, namesLength } from '../contract/embedder.ts';
import { type ReembedError, TRUNCATED } from '../contract/errors.ts';
import type { Metric } from '../contract/indexes.ts';
import type { Vector } from '../contract/vectors.ts';
import { type CallOptions, embedTexts, type TextSink } from './embed-calls.ts';
import { type Failure, failureFrom } from './failure.ts';
import { halve } from './halve.ts';
import { vectorProblem } from './vectors.ts';

export interface EmbedOptions {
  purpose: EmbedPurpose;
  metric: Metric;
  /** Vectors are stored or indexed in half precision. */
  isHalf?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** Max calls of the embedder in flight. */
  concurrency?: number | undefined;
  /** Per call; see `EmbedOptions` of the embedder. */
  maxWaitMs?: number | undefined;
  areCounted?: boolean | undefined;
  pause?: CallOptions['pause'];
  /** Finds and drops objects that nobody wants any more; see `TextSink`. */
  look?: TextSink['look'] | undefined;
  /** Vectors that this model has returned for these texts before. */
  known?: ReadonlyMap<string, Vector> | undefined;
}

export interface ObjectTexts {
  id: string;
  parts: readonly { text: string }[];
}

/**
 * The vectors of an object's parts, in order, or the reason that it has none. `split` holds the pieces of each part
 * that the model refused as too long, by the index of the part: such a part has one vector for each piece. `reused` of
 * the vectors were known, or are those of an equal text: the model was not asked for them.
 */
export type EmbeddedObject =
  | { id: string; vectors: Vector[]; reused?: number; split?: ReadonlyMap<number, readonly string[]> }
  | { id: string; failed: Failure };

const CALLS_IN_FLIGHT = 2;
/** Maximum number of texts that one session cuts in two: limits calls and vectors. */
const MAX_HALVED = 20_000;

/**
 * Embeds the parts of several objects together. A text that occurs in several of them is embedded once. A text that the
 * model cannot embed, or whose vector is unusable, fails only its own objects. A text that the model refuses because of
 * its length is cut in two, down to 100 characters.
 *
 * `run` continues until everything is done or the model stops it, and can be called again; earlier results are kept.
 * `take` returns each finished object once.
 */
export class EmbedSession {
  /** Texts that the model did not read to their end, and that were cut in two. */
  truncated = 0;
  private readonly embedder: Embedder;
  private readonly options: EmbedOptions;
  private readonly open: Map<string, ObjectTexts>;
  private readonly vectors = new Map<string, Vector>();
  private readonly failures = new Map<string, Failure>();
  /** The objects that wait for each text. */
  private readonly users = new Map<string, Set<string>>();
  /** The pieces that replace each text that is too long. */
  private readonly halves = new Map<string, readonly string[]>();
  /** Texts that the model has embedded and that count for no object yet. */
  private readonly fresh = new Set<string>();

  constructor(objects: readonly ObjectTexts[], embedder: Embedder, options: EmbedOptions) {
    this.embedder = embedder;
    this.options = options;
    this.open = new Map(objects.map((object) => [object.id, object]));
    for (const { id, parts } of objects) {
      for (const { text } of parts) this.use(text, id);
    }
    for (const text of this.users.keys()) {
      const vector = options.known?.get(text);
      if (vector) this.keep(text, vector);
    }
  }

  /** Ids of the unfinished objects. */
  get left(): string[] {
    return [...this.open.keys()];
  }

  /**
   * Returns null when every object is finished, otherwise the error that stopped it. Rejects if the signal is aborted, by
   * default that of the options.
   */
  async run(signal: AbortSignal = this.options.signal ?? new AbortController().signal): Promise<unknown> {
    const { purpose, concurrency = CALLS_IN_FLIGHT } = this.options;
    signal.throwIfAborted();
    const { maxWaitMs, areCounted, pause, look = async () => {} } = this.options;
    const texts = [...this.users.keys()].filter((text) => this.isWanted(text));
    const sink: TextSink = {
      isWanted: (text) => this.isWanted(text),
      keep: (text, vector) => {
        this.fresh.add(text);
        this.keep(text, vector);
      },
      fail: (text, error) => this.giveUp(text, error),
      look,
    };
    return embedTexts(texts, this.embedder, sink, { purpose, signal, concurrency, maxWaitMs, areCounted, pause });
  }

  /** Returns the objects that were finished since the last call, in their original order. */
  take(): EmbeddedObject[] {
    const taken: EmbeddedObject[] = [];
    for (const [id, { parts }] of this.open) {
      const failed = this.failures.get(id);
      const result = failed ? { id, failed } : this.resultOf(id, parts);
      if (!result) continue;
      taken.push(result);
      this.drop(id);
    }
    return taken;
  }

  /** Returns undefined while a vector is missing. */
  private resultOf(id: string, parts: ObjectTexts['parts']): EmbeddedObject | undefined {
    const vectors: Vector[] = [];
    const texts: string[] = [];
    const split = new Map<number, readonly string[]>();
    for (const [at, { text }] of parts.entries()) {
      const pieces = this.piecesOf(text);
      if (this.halves.has(text)) split.set(at, pieces);
      for (const piece of pieces) {
        const vector = this.vectors.get(piece);
        if (vector === undefined) return undefined;
        vectors.push(vector);
        texts.push(piece);
      }
    }
    const reused = texts.filter((text) => !this.fresh.delete(text)).length;
    return { id, vectors, ...(reused > 0 && { reused }), ...(split.size > 0 && { split }) };
  }

  private piecesOf(text: string): string[] {
    const halves = this.halves.get(text);
    return halves ? halves.flatMap((half) => this.piecesOf(half)) : [text];
  }

  /** Drops an object that nobody wants any more. */
  drop(id: string): void {
    for (const { text } of this.open.get(id)?.parts ?? []) this.release(text, id);
    this.open.delete(id);
  }

  private use(text: string, id: string): void {
    const users = this.users.get(text);
    if (users) users.add(id);
    else this.users.set(text, new Set([id]));
  }

  private release(text: string, id: string): void {
    for (const half of this.halves.get(text) ?? []) this.release(half, id);
    const users = this.users.get(text);
    users?.delete(id);
    if (users?.size !== 0) return;
    this.users.delete(text);
    this.vectors.delete(text);
    this.halves.delete(text);
    this.fresh.delete(text);
  }

  private isWanted(text: string): boolean {
    if (this.vectors.has(text) || this.halves.has(text)) return false;
    // An object that has already failed needs no further vectors.
    for (const id of this.users.get(text) ?? []) if (!this.failures.has(id)) return true;
    return false;
  }

  private giveUp(text: string, error: ReembedError): readonly string[] {
    const halves = namesLength(error.message) && this.halves.size < MAX_HALVED ? halve(text) : null;
    if (!halves) {
      this.fail(text, failureFrom('embed', error));
      return [];
    }
    if (error.reason === TRUNCATED) this.truncated++;
    this.halves.set(text, halves);
    for (const half of halves) for (const id of this.users.get(text) ?? []) this.use(half, id);
    return halves.filter((half) => this.isWanted(half));
  }

  private keep(text: string, vector: Vector): void {
    const { metric, isHalf } = this.options;
    const problem = vectorProblem(vector, metric, { isHalf: isHalf === true });
    if (problem) this.fail(text, { stage: 'embed', ...problem });
    else this.vectors.set(text, vector);
  }

  private fail(text: string, failure: Failure): void {
    for (const id of this.users.get(text) ?? []) if (!this.failures.has(id)) this.failures.set(id, failure);
  }
}
