import { expect, test } from 'vitest';
import { checkedLookup, isPublicAddress, refuseLiteralAddress } from '../../src/net/addresses.ts';

const PUBLIC = [
  '8.8.8.8',
  '93.184.216.34',
  '1.1.1.1',
  '172.15.255.255',
  '172.32.0.1',
  '2606:4700::1111',
  '2a00:1450::1',
];

const NOT_PUBLIC = [
  // IPv4: this host, loopback, private, shared, link-local, special, multicast, reserved, broadcast
  ...['0.0.0.0', '0.1.2.3', '127.0.0.1', '127.255.255.254', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
  ...['100.64.0.1', '100.100.100.200', '169.254.169.254', '168.63.129.16', '192.0.0.192', '198.18.0.1', '192.0.2.1'],
  ...['224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
  // IPv6: unspecified, loopback, compatible, mapped, translated, NAT64, 6to4, Teredo, link-local, unique-local, multicast
  ...['::', '::1', '::127.0.0.1', '::7f00:1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:8.8.8.8', '::ffff:7f00:1'],
  ...['::ffff:0:127.0.0.1', '64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::1', '2002:7f00:1::', '2001:0:1::1'],
  ...['fe80::1', 'fe80::1%eth0', 'fec0::1', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '2001:db8::1', '100::1', '4000::1'],
  // no addresses at all
  ...['', 'localhost', '127.1', '0x7f000001', '8.8.8'],
];

test.each(PUBLIC)('%s is a public address', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each(NOT_PUBLIC)('%s is not a public address', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each([
  'http://127.0.0.1/',
  'http://127.1/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0177.0.0.1/',
  'http://0x7f.1/',
  'http://127.0.0.1./',
  'http://①②⑦.0.0.1/',
  'http://0/',
  'http://[::1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[64:ff9b::a9fe:a9fe]/',
  'https://169.254.169.254/latest/meta-data/',
  'http://2852039166/',
])('a literal address in any form is refused: %s', (url) => {
  expect(() => refuseLiteralAddress(new URL(url), isPublicAddress)).toThrow('not on the public internet');
});

const lookup = (addresses: string[], options: { all?: boolean; family?: number }) =>
  new Promise((resolve, reject) => {
    const resolved = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    checkedLookup(async () => resolved, isPublicAddress)('name.test', options, (error, address, family) =>
      error ? reject(error) : resolve(family === undefined ? address : [address, family]),
    );
  });

test('a name gives its checked addresses, all of them or the first of a family', async () => {
  const both = ['2606:4700::1111', '1.1.1.1'];
  expect(await lookup(both, { all: true })).toEqual([
    { address: '2606:4700::1111', family: 6 },
    { address: '1.1.1.1', family: 4 },
  ]);
  expect(await lookup(both, {})).toEqual(['2606:4700::1111', 6]);
  expect(await lookup(both, { family: 4 })).toEqual(['1.1.1.1', 4]);
});

test('a name with one private address among public ones is refused without revealing the address', async () => {
  const refusal = lookup(['1.1.1.1', '10.0.0.7'], { family: 4 });
  await expect(refusal).rejects.toMatchObject({
    type: 'LoadRefused',
    message: expect.not.stringContaining('10.0.0.7'),
  });
});

test('a name without addresses is not found', async () => {
  await expect(lookup([], { all: true })).rejects.toMatchObject({ code: 'ENOTFOUND' });
});
