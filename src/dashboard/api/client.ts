import { createClient } from '../../client/http/client.ts';
import { currentToken, refuse } from './session.ts';

/** Sends the token of the session along, and notes when the API wants another one. */
async function sessionFetch(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const token = currentToken();
  const headers = new Headers(init.headers);
  if (token !== null) headers.set('authorization', `Bearer ${token}`);
  const response = await fetch(input, { ...init, headers });
  if (response.status === 401) refuse(token);
  return response;
}

/** The one client of the dashboard: the same that programs use, at the address the page came from. */
export const reembed = createClient({ baseUrl: location.origin, fetch: sessionFetch });
