import { answerLimit, readAnswer, readRefusal } from '../read-body.ts';
import type { AnswerTo } from '../read-vectors.ts';

type Fetch = typeof globalThis.fetch;

/** Wraps `fetch` for one request so that a response is read up to a limit before the SDK gets it. */
export function withWholeAnswer(fetch: Fetch, { texts, label }: AnswerTo, dimensions: number): Fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!response.ok) return refusalOf(response);
    const body = await readAnswer(response, answerLimit(texts.length, dimensions), label);
    return new Response(body || null, { status: response.status, headers: plain(response.headers) });
  };
}

/** Reads a refusal up to a limit. */
export async function refusalOf(response: Response): Promise<Response> {
  const { status, statusText, headers } = response;
  return new Response((await readRefusal(response)) || null, { status, statusText, headers: plain(headers) });
}

/** Removes headers that no longer apply, since the body is no longer compressed or of its original length. */
function plain(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) kept.delete(name);
  return kept;
}
