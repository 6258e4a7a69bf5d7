import { isIPv6 } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import { ReembedError } from '../../contract/errors.ts';
import { passIf } from './check.ts';

export interface HostOptions {
  /** Names and addresses, without a port, beside the loopback ones. */
  names?: readonly string[];
  /**
   * Also any IP address, for a server that listens on all addresses of its machine: a page is never loaded from a name
   * that leads elsewhere later when it was loaded from an address.
   */
  anyAddress?: boolean;
}

const LOOPBACK_NAME = 'localhost';
const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;

/**
 * Answers only requests that were sent to this server by a name that it has (the header `Host`): a loopback name, or one
 * of `names`. A web site can point its own name at any address, also at this machine (DNS rebinding); the browser then
 * takes the server for a part of that site. Error: `WrongHost`.
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
    // Of a request line with a whole address, the server takes the host from there.
    const asked = [c.req.header('host'), new URL(c.req.url).host].filter((host) => host !== undefined);
    if (!asked.every(isKnown)) {
      throw new ReembedError(
        'WrongHost',
        'this server does not go by that name: call it by a loopback name, or add the name to REEMBED_ALLOWED_HOSTS',
      );
    }
  });
}

/** The name or address in a `Host` header, in the one form that URLs have; undefined for what is none. */
export function hostnameOf(host: string): string | undefined {
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
