import { Agent, fetch as undiciFetch } from 'undici';
import { ReembedError } from '../contract/errors.ts';
import { checkedLookup, isServiceOfTheHost, type Resolve } from '../net/addresses.ts';
import { resolveForModels } from '../net/resolve.ts';
import { refused } from './model-hosts.ts';

type Fetch = typeof globalThis.fetch;

/**
 * Makes the `fetch` for calls of models. The address of a host is checked when the socket is connected, so a name that
 * leads to a link-local or metadata address, now or at a later call, is refused; redirects are not followed, since the
 * key and the texts were meant for the address that was configured. Error: `ModelRefused`.
 */
export function createModelFetch(resolve: Resolve = resolveForModels): Fetch {
  const lookup = checkedLookup(
    resolve,
    (address) => !isServiceOfTheHost(address),
    (hostname) => refused('baseUrl', `${hostname} leads to a link-local or metadata address, which is never called`),
  );
  const dispatcher = new Agent({ connect: { lookup } });
  // The same function in a version of the package, which a dispatcher of that version needs.
  const fetch = undiciFetch as unknown as Fetch;
  return async (input, init) => {
    const options = { ...init, redirect: 'manual', dispatcher } as RequestInit;
    const response = await fetch(input, options).catch((error: unknown) => {
      throw error instanceof Error && error.cause instanceof ReembedError ? error.cause : error;
    });
    if (response.status < 300 || response.status >= 400) return response;
    await response.body?.cancel();
    const message = `the model redirects to another address (HTTP ${response.status}): configure that one as baseUrl`;
    throw refused('baseUrl', message);
  };
}

/** That of this process: its connections are shared by all models. */
export const modelFetch = createModelFetch();
