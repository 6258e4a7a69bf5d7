import { createClient } from '../../client/http/client.ts';
import { noteAnswer, noteNoAnswer } from './connection.ts';
import { currentToken, refuse } from './session.ts';

/** Sends the token of the session along, and notes when the API wants another one. */
async function sessionFetch(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
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

/** The one client of the dashboard: the same that programs use, at the address the page came from. */
export const reembed = createClient({ baseUrl: location.origin, fetch: sessionFetch });
