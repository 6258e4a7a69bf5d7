import type { Embedder, EmbedPurpose } from '../contract/embedder.ts';
import type { Metric } from '../contract/indexes.ts';
import type { Vector } from '../contract/vectors.ts';
import { type CallOptions, embedTexts, type TextSink } from './embed-calls.ts';
import { type Failure, failureFrom } from './failure.ts';
import { vectorProblem } from './vectors.ts';

export interface EmbedOptions {
  purpose: EmbedPurpose;
  metric: Metric;
  signal?: AbortSignal | undefined;
  /** Calls of the embedder in flight. */
  concurrency?: number | undefined;
  /** Of one call; see `EmbedOptions` of the embedder. */
  maxWaitMs?: number | undefined;
  pause?: CallOptions['pause'];
}

export interface ObjectTexts {
  id: string;
  parts: readonly { text: string }[];
}

/** The vectors of an object's parts, in order, or why it has none. */
export type EmbeddedObject = { id: string; vectors: Vector[] } | { id: string; failed: Failure };

const CALLS_IN_FLIGHT = 2;

/**
 * Embeds the parts of several objects together. A text that stands in several of them is embedded once. One that the
 * model cannot embed, or whose vector is unusable, fails its own objects and no other.
 *
 * `run` goes on until all is done or the model stops it, and can be called again: what has arrived is kept. `take` hands
 * out each finished object once.
 */
export class EmbedSession {
  private readonly embedder: Embedder;
  private readonly options: EmbedOptions;
  private readonly open: Map<string, ObjectTexts>;
  private readonly vectors = new Map<string, Vector>();
  private readonly failures = new Map<string, Failure>();
  /** Of each text the objects that wait for it. */
  private readonly users = new Map<string, Set<string>>();

  constructor(objects: readonly ObjectTexts[], embedder: Embedder, options: EmbedOptions) {
    this.embedder = embedder;
    this.options = options;
    this.open = new Map(objects.map((object) => [object.id, object]));
    for (const { id, parts } of objects) {
      for (const { text } of parts) {
        const users = this.users.get(text);
        if (users) users.add(id);
        else this.users.set(text, new Set([id]));
      }
    }
  }

  /** Ids of the objects that are not finished. */
  get left(): string[] {
    return [...this.open.keys()];
  }

  /** Null when each object is finished; else the error that has stopped it. Rejects when the signal is aborted. */
  async run(): Promise<unknown> {
    const { signal = new AbortController().signal, purpose, concurrency = CALLS_IN_FLIGHT } = this.options;
    signal.throwIfAborted();
    const { maxWaitMs, pause } = this.options;
    const texts = [...this.users.keys()].filter((text) => this.isWanted(text));
    const sink: TextSink = {
      isWanted: (text) => this.isWanted(text),
      keep: (text, vector) => this.keep(text, vector),
      fail: (text, error) => this.fail(text, failureFrom('embed', error)),
    };
    return embedTexts(texts, this.embedder, sink, { purpose, signal, concurrency, maxWaitMs, pause });
  }

  /** The objects that were finished since the last time, in the order in which they were given. */
  take(): EmbeddedObject[] {
    const taken: EmbeddedObject[] = [];
    for (const [id, { parts }] of this.open) {
      const failed = this.failures.get(id);
      const vectors: Vector[] = [];
      for (const { text } of parts) {
        const vector = this.vectors.get(text);
        if (vector === undefined) break;
        vectors.push(vector);
      }
      if (failed) taken.push({ id, failed });
      else if (vectors.length === parts.length) taken.push({ id, vectors });
      else continue;
      this.drop(id);
    }
    return taken;
  }

  /** Nobody wants the object any more. */
  drop(id: string): void {
    for (const { text } of this.open.get(id)?.parts ?? []) {
      const users = this.users.get(text);
      users?.delete(id);
      if (users?.size !== 0) continue;
      this.users.delete(text);
      this.vectors.delete(text);
    }
    this.open.delete(id);
  }

  private isWanted(text: string): boolean {
    if (this.vectors.has(text)) return false;
    // The rest of an object that has failed already need not be paid for.
    for (const id of this.users.get(text) ?? []) if (!this.failures.has(id)) return true;
    return false;
  }

  private keep(text: string, vector: Vector): void {
    const problem = vectorProblem(vector, this.options.metric);
    if (problem) this.fail(text, { stage: 'embed', ...problem });
    else this.vectors.set(text, vector);
  }

  private fail(text: string, failure: Failure): void {
    for (const id of this.users.get(text) ?? []) if (!this.failures.has(id)) this.failures.set(id, failure);
  }
}
