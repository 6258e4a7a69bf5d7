import { lookup as dnsLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { ReembedError } from '../contract/errors.ts';

export interface ResolvedAddress {
  address: string;
  family: number;
}

/** All addresses of a host name. */
export type Resolve = (hostname: string) => Promise<ResolvedAddress[]>;

/** Whether a socket may be connected to an IP address: `isPublicAddress`, or always where private ones are allowed. */
export type MayConnect = (address: string) => boolean;

export const systemResolve: Resolve = (hostname) => dnsLookup(hostname, { all: true });

/** Where IANA gives out public IPv6 addresses. Outside lie ::/96 (`::127.0.0.1`), NAT64 and all that is not public. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** Azure's host agent answers its machines on a public address. */
const SERVICES_OF_THE_HOST = new Set(['168.63.129.16']);

/**
 * Whether an IP address lies in the public internet: not private, loopback, link-local (where clouds keep credentials),
 * shared (CGNAT), unique-local, multicast or reserved, and no IPv6 form that carries an IPv4 address (mapped, NAT64,
 * 6to4, Teredo), since what it leads to depends on the network.
 */
export function isPublicAddress(address: string): boolean {
  const [plain = ''] = address.split('%', 1);
  if (isIP(plain) === 0 || SERVICES_OF_THE_HOST.has(plain)) return false;
  const parsed = ipaddr.parse(plain);
  if (parsed.range() !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv6 ? parsed.match(GLOBAL_UNICAST) : true;
}

// The address is left out of the message: it would tell a stranger about the network behind the worker.
const refused = (hostname: string) =>
  new ReembedError(
    'LoadRefused',
    `${hostname} is not in the public internet, and loading from private addresses is off`,
  );

/**
 * Throws `LoadRefused` for a URL whose host is a literal IP address that may not be connected to: those are never
 * looked up. (A URL object has turned decimal, octal and hexadecimal forms into the usual ones already.)
 */
export function refuseLiteralAddress(url: URL, mayConnect: MayConnect): void {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0 && !mayConnect(host)) throw refused(url.hostname);
}

/**
 * A `lookup` for `node:http` that gives only addresses that were checked. The socket connects to what this returns and
 * nothing is resolved a second time, so a name that changes its address in between (DNS rebinding) gains nothing. One
 * address that is not allowed among several refuses the name.
 */
export function checkedLookup(resolve: Resolve, mayConnect: MayConnect): LookupFunction {
  const addressesOf = async (hostname: string, family: unknown): Promise<ResolvedAddress[]> => {
    const all = await resolve(hostname);
    if (!all.every(({ address }) => mayConnect(address))) throw refused(hostname);
    const wanted = family === 4 || family === 6 ? all.filter((one) => one.family === family) : all;
    if (wanted.length === 0) throw Object.assign(new Error(`no address of ${hostname}`), { code: 'ENOTFOUND' });
    return wanted;
  };
  return (hostname, options, callback) => {
    addressesOf(hostname, options.family).then(
      (addresses) => {
        if (options.all) callback(null, addresses);
        else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
      },
      (error) => callback(error, ''),
    );
  };
}
