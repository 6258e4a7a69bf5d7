import { createClient } from '../../client/client.ts';
import { noteAnswer, noteNoAnswer } from './connection.ts';
import { currentToken, refuse } from './session.ts';

/** Adds the session's token to a request, and records when the API rejects it. */
export async function sessionFetch(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const token = currentToken();
  const headers = new Headers(init.headers);
  if (token !== null) headers.set('authorization', `Bearer ${token}`);
  let response: Response;
  try {
    response = await fetch(input, { ...init, headers });
  } catch (error) {
    if (!init.signal?.aborted) noteNoAnswer();
    throw error;
  }
  noteAnswer(response);
  if (response.status === 401) refuse(token);
  return response;
}

/** The dashboard's only API client: the public one, with the page's origin as its address. */
export const reembed = createClient({ baseUrl: location.origin, fetch: sessionFetch });

/** Lists without databases that do not answer: the state of the servers says which ones. */
export const PARTIAL = { onUnavailable: () => {} };
