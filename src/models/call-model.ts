import { ReembedError } from '../contract/errors.ts';
import type { Vector } from '../contract/vectors.ts';
import { checkVectors } from './check-vectors.ts';
import { toModelError } from './model-errors.ts';
import type { ModelWords } from './model-hosts.ts';

export interface ModelCall {
  /** Makes the request through the AI SDK, once. */
  request(texts: string[], signal: AbortSignal): Promise<readonly unknown[]>;
  /** What messages call the model. */
  label: string;
  dimensions: number;
  texts: string[];
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Strings that must not appear in a message. */
  secrets?: readonly string[];
  /** How much of the answer may stand in an error; all if not given. */
  words?: ModelWords;
}

/**
 * One call of a model: `texts.length` vectors of `dimensions` finite numbers, or a `ReembedError`; when the caller's
 * signal aborts, its reason.
 */
export async function callModel(call: ModelCall): Promise<Vector[]> {
  call.signal?.throwIfAborted();
  const deadline = startDeadline(call);
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

/**
 * The caller's signal and a time limit as one. By hand, because `AbortSignal.timeout` keeps its timer until it ends and
 * `AbortSignal.any` leaves a reference on the caller's signal for each call: a worker makes many within one activity.
 */
function startDeadline({ signal, timeoutMs }: ModelCall) {
  const controller = new AbortController();
  let expired = false;
  const abort = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const expire = () => {
    expired = true;
    controller.abort(new DOMException('The time limit was reached', 'TimeoutError'));
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs);
  return {
    signal: controller.signal,
    expired: () => expired,
    stop() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    },
  };
}
