import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { ReembedError } from '../contract/errors.ts';

export interface ResolvedAddress {
  address: string;
  family: number;
}

/** Returns all addresses of a host name. */
export type Resolve = (hostname: string) => Promise<ResolvedAddress[]>;

/** Whether a socket may connect to an IP address: `isPublicAddress`, or always if private addresses are allowed. */
export type MayConnect = (address: string) => boolean;

/** The range of public IPv6 addresses. Outside are ::/96 (`::127.0.0.1`), NAT64 and everything that is not public. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** Metadata addresses of clouds outside the link-local range: Azure, Alibaba, Oracle, AWS and Google over IPv6. */
const SERVICES_OF_THE_HOST = new Set(
  ['168.63.129.16', '100.100.100.200', '192.0.0.192', 'fd00:ec2::254', 'fd20:ce::254'].map(normal),
);

function normal(address: string): string {
  return ipaddr.parse(address).toNormalizedString();
}

/**
 * Whether a network serves its own machines at an IP address, such as cloud metadata, which contains credentials:
 * link-local, or one of the addresses above, also in an IPv6 form that embeds it. Also true if it is not an address.
 */
export function isServiceOfTheHost(address: string): boolean {
  const [plain = ''] = address.split('%', 1);
  if (isIP(plain) === 0) return /^[\d.]+$|:/.test(plain);
  const parsed = ipaddr.parse(plain);
  const carried = parsed instanceof ipaddr.IPv6 ? carriedIpv4(parsed) : undefined;
  return [parsed, carried].some(
    (one) => one?.range() === 'linkLocal' || SERVICES_OF_THE_HOST.has(one?.toNormalizedString() ?? ''),
  );
}

/** Returns the IPv4 address in the mapped, compatible, translated, NAT64 and 6to4 forms. */
function carriedIpv4(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  const bytes = address.toByteArray();
  if (address.range() === '6to4') return new ipaddr.IPv4(bytes.slice(2, 6));
  const isHigh = bytes.slice(0, 8).every((byte) => byte === 0);
  return isHigh || address.range() === 'rfc6052' ? new ipaddr.IPv4(bytes.slice(12)) : undefined;
}

/**
 * Whether an IP address is on the public internet: not private, loopback, link-local (where clouds keep credentials),
 * shared (CGNAT), unique-local, multicast or reserved, and not an IPv6 form that embeds an IPv4 address (mapped, NAT64,
 * 6to4, Teredo), since its target depends on the network.
 */
export function isPublicAddress(address: string): boolean {
  const [plain = ''] = address.split('%', 1);
  if (isIP(plain) === 0 || isServiceOfTheHost(plain)) return false;
  const parsed = ipaddr.parse(plain);
  if (parsed.range() !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv6 ? parsed.match(GLOBAL_UNICAST) : true;
}

/** Creates the error for a name or address that must not be connected to. */
export type Refusal = (hostname: string) => ReembedError;

// The message omits the address, which would reveal the network behind the worker.
const refusedLoad: Refusal = (hostname) =>
  new ReembedError(
    'LoadRefused',
    `${hostname} is not on the public internet and loading from private addresses is disabled, or it is a link-local or metadata address, which is never loaded`,
  );

/**
 * Throws `LoadRefused` for a URL whose host is a literal IP address that must not be connected to, since literals are
 * never looked up. (A URL object has already normalized decimal, octal and hexadecimal forms.)
 */
export function refuseLiteralAddress(url: URL, mayConnect: MayConnect): void {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0 && !mayConnect(host)) throw refusedLoad(url.hostname);
}

/**
 * Creates a `lookup` for `node:http` that returns only checked addresses. The socket connects to what this returns and
 * nothing is resolved a second time, so a name that changes its address in between (DNS rebinding) has no effect. One
 * disallowed address among several refuses the name.
 */
export function checkedLookup(
  resolve: Resolve,
  mayConnect: MayConnect,
  refused: Refusal = refusedLoad,
): LookupFunction {
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
