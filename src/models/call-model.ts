import { ReembedError } from '../contract/errors.ts';
import type { Vector } from '../contract/vectors.ts';
import { startDeadline } from '../net/deadline.ts';
import { checkVectors } from './check-vectors.ts';
import { toModelError } from './model-errors.ts';
import type { ModelWords } from './model-hosts.ts';

export interface ModelCall {
  /** Makes one request through the AI SDK. */
  request(texts: string[], signal: AbortSignal): Promise<readonly unknown[]>;
  /** The name of the model in messages. */
  label: string;
  dimensions: number;
  texts: string[];
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Strings that must not appear in a message. */
  secrets?: readonly string[];
  /** How much of the response may appear in an error; default: all. */
  words?: ModelWords;
}

/**
 * Calls a model once and returns `texts.length` vectors of `dimensions` finite numbers. Throws a `ReembedError`, or the
 * reason of the caller's signal if it aborts.
 */
export async function callModel(call: ModelCall): Promise<Vector[]> {
  call.signal?.throwIfAborted();
  const deadline = startDeadline(call.timeoutMs, call.signal);
  try {
    return checkVectors(await call.request(call.texts, deadline.signal), call);
  } catch (error) {
    call.signal?.throwIfAborted();
    if (deadline.expired()) {
      const message = `The ${call.label} did not answer within ${call.timeoutMs} ms`;
      throw new ReembedError('ModelUnavailable', message, { reason: 'timeout' });
    }
    throw toModelError(error, call);
  } finally {
    deadline.stop();
  }
}
