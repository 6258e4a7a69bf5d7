import { Agent, fetch as undiciFetch } from 'undici';
import { ReembedError } from '../contract/errors.ts';
import { checkedLookup, isServiceOfTheHost, type Resolve } from '../net/addresses.ts';
import { resolveForModels } from '../net/resolve.ts';
import { refused } from './model-hosts.ts';

type Fetch = typeof globalThis.fetch;

/**
 * Creates the `fetch` for model calls. It checks a host's address when the socket connects, so a name that resolves to
 * a link-local or metadata address, now or in a later call, is refused. It does not follow redirects, since the key and
 * the texts are meant for the configured address. Error: `ModelRefused`.
 */
export function createModelFetch(resolve: Resolve = resolveForModels): Fetch {
  const lookup = checkedLookup(
    resolve,
    (address) => !isServiceOfTheHost(address),
    (hostname) => refused('baseUrl', `${hostname} resolves to a link-local or metadata address, which is never called`),
  );
  const dispatcher = new Agent({ connect: { lookup } });
  // The same function from the undici package, since a dispatcher needs the `fetch` of its own version.
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

/** The `fetch` of this process; all models share its connections. */
export const modelFetch = createModelFetch();
