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

/** Where IANA gives out public IPv6 addresses. Outside lie ::/96 (`::127.0.0.1`), NAT64 and all that is not public. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** Where clouds answer their machines outside the link-local range: Azure, Alibaba, Oracle, AWS and Google over IPv6. */
const SERVICES_OF_THE_HOST = new Set(
  ['168.63.129.16', '100.100.100.200', '192.0.0.192', 'fd00:ec2::254', 'fd20:ce::254'].map(normal),
);

function normal(address: string): string {
  return ipaddr.parse(address).toNormalizedString();
}

/**
 * Whether an IP address is one where a network serves its own machines, such as the metadata of clouds, which holds
 * credentials: link-local, or one of theirs, also in an IPv6 form that carries it. Also true of what is no address.
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

/** Of the mapped, compatible, translated, NAT64 and 6to4 forms. */
function carriedIpv4(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  const bytes = address.toByteArray();
  if (address.range() === '6to4') return new ipaddr.IPv4(bytes.slice(2, 6));
  const isHigh = bytes.slice(0, 8).every((byte) => byte === 0);
  return isHigh || address.range() === 'rfc6052' ? new ipaddr.IPv4(bytes.slice(12)) : undefined;
}

/**
 * Whether an IP address lies in the public internet: not private, loopback, link-local (where clouds keep credentials),
 * shared (CGNAT), unique-local, multicast or reserved, and no IPv6 form that carries an IPv4 address (mapped, NAT64,
 * 6to4, Teredo), since what it leads to depends on the network.
 */
export function isPublicAddress(address: string): boolean {
  const [plain = ''] = address.split('%', 1);
  if (isIP(plain) === 0 || isServiceOfTheHost(plain)) return false;
  const parsed = ipaddr.parse(plain);
  if (parsed.range() !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv6 ? parsed.match(GLOBAL_UNICAST) : true;
}

/** The error of a name or address that may not be connected to. */
export type Refusal = (hostname: string) => ReembedError;

// The address is left out of the message: it would tell a stranger about the network behind the worker.
const refusedLoad: Refusal = (hostname) =>
  new ReembedError(
    'LoadRefused',
    `${hostname} is not in the public internet, and loading from private addresses is off, or it is a link-local or metadata address, from which nothing is loaded`,
  );

/**
 * Throws `LoadRefused` for a URL whose host is a literal IP address that may not be connected to: those are never
 * looked up. (A URL object has turned decimal, octal and hexadecimal forms into the usual ones already.)
 */
export function refuseLiteralAddress(url: URL, mayConnect: MayConnect): void {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0 && !mayConnect(host)) throw refusedLoad(url.hostname);
}

/**
 * A `lookup` for `node:http` that gives only addresses that were checked. The socket connects to what this returns and
 * nothing is resolved a second time, so a name that changes its address in between (DNS rebinding) gains nothing. One
 * address that is not allowed among several refuses the name.
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
