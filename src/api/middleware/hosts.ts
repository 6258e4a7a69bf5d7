import { isIPv6 } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import { ReembedError } from '../../contract/errors.ts';
import { passIf } from './check.ts';

export interface HostOptions {
  /** Names and addresses, without a port, in addition to the loopback ones. */
  names?: readonly string[];
  /**
   * Accepts any IP address too, for a server that listens on all addresses of its machine. An address in `Host` is
   * safe: unlike a name, it cannot point elsewhere later.
   */
  anyAddress?: boolean;
}

const LOOPBACK_NAME = 'localhost';
const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;

/**
 * Answers only requests whose `Host` header is one of the server's names: a loopback name, or one of `names`. A website
 * can point its own name at any address, including this machine (DNS rebinding); the browser then treats the server as
 * part of that site. Error: `WrongHost`.
 *
 * @example
 * app.use(requireHost({ names: ['vectors.example.org'] }));
 */
export function requireHost({ names = [], anyAddress = false }: HostOptions = {}): MiddlewareHandler {
  const known = new Set(names.map((name) => hostnameOf(name) ?? name));
  const isKnown = (host: string) => {
    const name = hostnameOf(host);
    return name !== undefined && (isLoopbackName(name) || known.has(name) || (anyAddress && isAddress(name)));
  };
  return passIf((c) => {
    // If the request line has an absolute URL, the server takes the host from it.
    const asked = [c.req.header('host'), new URL(c.req.url).host].filter((host) => host !== undefined);
    if (!asked.every(isKnown)) {
      throw new ReembedError(
        'WrongHost',
        'this server does not go by that name: call it by a loopback name, or add the name to REEMBED_ALLOWED_HOSTS',
      );
    }
  });
}

/** Returns the name or address in a `Host` header, normalized as in URLs; undefined if it is invalid. */
function hostnameOf(host: string): string | undefined {
  const text = isIPv6(host) ? `[${host}]` : host;
  if (!/^(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(text) || !URL.canParse(`http://${text}`)) return undefined;
  return new URL(`http://${text}`).hostname;
}

function isLoopbackName(name: string): boolean {
  return name === LOOPBACK_NAME || name === '[::1]' || (IPV4.test(name) && name.startsWith('127.'));
}

function isAddress(name: string): boolean {
  return IPV4.test(name) || name.startsWith('[');
}
