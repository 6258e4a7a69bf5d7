import type { Vector } from '../../contract/vectors.ts';
import type { TextSize } from '../cut-texts.ts';

/** A job at a provider. `ended`: its answers can be read, if there are any. `failed`: the provider did not accept it. */
export interface ProviderBatch {
  id: string;
  state: 'running' | 'ended' | 'failed';
  /** Requests with an answer so far, of all. */
  answered: number;
  total: number;
  /** Why it failed; `tooMuch`: the provider has as much as it takes at a time, and accepts it later. */
  problem?: { kind: 'tooMuch' | 'quota' | 'other'; message: string };
}

/**
 * The answer to one request. `again`: it was not processed, and can be sent again. `refused`: it cannot be embedded.
 * `tokens`: what is paid for; null if the provider does not say how many.
 */
export type BatchAnswer =
  | { id: string; kind: 'vector'; vector: Vector; tokens: number | null }
  | { id: string; kind: 'again'; why: string }
  | { id: string; kind: 'refused'; why: string; tokens?: number | null };

/**
 * A provider's interface for large jobs that it answers within a day, at a lower price. The errors are those of
 * `Embedder`; `ModelNotFound` if the endpoint has no such interface.
 */
export interface BatchInterface {
  /** Max requests and bytes of one job. */
  readonly maxRequests: number;
  readonly maxBytes: number;
  /** Returns the request for one text, with its line end. */
  requestOf(id: string, text: string): Buffer;
  /** Returns how long what the model gets of a text is. */
  sizeOf(text: string): TextSize;
  /** Finds the job with a name, among those created since a time (ms), that was neither canceled nor failed. */
  find(name: string, sinceMs: number, signal: AbortSignal): Promise<ProviderBatch | null>;
  /** Creates a job with a unique name. */
  submit(name: string, requests: readonly Buffer[], signal: AbortSignal): Promise<ProviderBatch>;
  look(id: string, signal: AbortSignal): Promise<ProviderBatch>;
  /** Reads the answers as they arrive, in any order; an answer may be missing or come twice. */
  answers(id: string, signal: AbortSignal): AsyncGenerator<BatchAnswer, void>;
  /** Cancels a job; one that has ended stays as it is. */
  cancel(id: string, signal: AbortSignal): Promise<void>;
  /** Deletes the texts and vectors of a job at the provider. */
  forget(id: string, signal: AbortSignal): Promise<void>;
}
