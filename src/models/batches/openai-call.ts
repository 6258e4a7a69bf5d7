import { APICallError } from 'ai';
import { z } from 'zod';
import { ReembedError } from '../../contract/errors.ts';
import { startDeadline } from '../../net/deadline.ts';
import { readApiKey } from '../api-key.ts';
import { toModelError } from '../model-errors.ts';
import type { ModelWords } from '../model-hosts.ts';
import { refusalOf } from '../remote/whole-answer.ts';

export interface OpenaiCall {
  method?: 'GET' | 'POST' | 'DELETE';
  /** Below the `baseUrl`, with its query. */
  path: string;
  body?: { type: string; content: string | Blob };
  signal: AbortSignal;
  timeoutMs?: number;
  /** The call that shows whether the endpoint has batches. */
  isFirst?: boolean;
  /** An answer with status 404 is not an error: the response is returned. */
  mayBeGone?: boolean;
}

interface Endpoint {
  baseUrl: string;
  keyName: string | undefined;
  label: string;
  words: ModelWords;
  env: Readonly<Record<string, string | undefined>>;
  fetch: typeof globalThis.fetch;
  timeoutMs: number;
}

const refusalSchema = z.object({ error: z.object({ message: z.string() }) });
const NO_SUCH_PATH = [404, 405, 501];

/** Creates a function that calls an endpoint of OpenAI's API with its key. It throws the errors of models. */
export function openaiCaller({ baseUrl, keyName, label, words, env, fetch, timeoutMs }: Endpoint) {
  return async (call: OpenaiCall): Promise<Response> => {
    const key = readApiKey(keyName, env);
    const url = baseUrl.replace(/\/$/, '') + call.path;
    const deadline = startDeadline(call.timeoutMs ?? timeoutMs, call.signal);
    try {
      const response = await fetch(url, {
        method: call.method ?? 'GET',
        headers: {
          ...(call.body && { 'content-type': call.body.type }),
          ...(key !== undefined && { authorization: `Bearer ${key}` }),
        },
        body: call.body?.content ?? null,
        signal: deadline.signal,
      });
      if (response.ok || (call.mayBeGone && response.status === 404)) return response;
      if (call.isFirst && NO_SUCH_PATH.includes(response.status)) throw hasNone(label, response.status);
      throw await refusalError(url, response);
    } catch (error) {
      call.signal.throwIfAborted();
      if (deadline.expired()) {
        throw new ReembedError('ModelUnavailable', `The ${label} did not answer in time`, { reason: 'timeout' });
      }
      throw toModelError(error, { label, texts: [], secrets: key === undefined ? [] : [key], words });
    } finally {
      deadline.stop();
    }
  };
}

function hasNone(label: string, status: number): ReembedError {
  const how = 'restart the reindex without batchApi';
  return new ReembedError('ModelNotFound', `The ${label} has no interface for batches (HTTP ${status}): ${how}`);
}

async function refusalError(url: string, response: Response): Promise<APICallError> {
  const body = await (await refusalOf(response)).text();
  const refusal = refusalSchema.safeParse(parseJson(body));
  return new APICallError({
    message: refusal.success ? refusal.data.error.message : response.statusText,
    url,
    requestBodyValues: {},
    statusCode: response.status,
    responseHeaders: Object.fromEntries(response.headers),
    responseBody: body,
    ...(refusal.success && { data: refusal.data }),
  });
}

/** Returns undefined for what is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
