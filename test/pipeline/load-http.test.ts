import { getEventListeners } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { answering, loaderOf, rejectionOf, serve } from './support.ts';

test.each<[string, string | undefined, string | Buffer, unknown]>([
  ['plain text', 'text/plain', 'héllo', 'héllo'],
  ['text with a charset', 'text/plain; charset=ISO-8859-1', Buffer.from([0xe9]), 'é'],
  ['a quoted charset', 'text/plain; charset="utf-16le"', Buffer.from('hé', 'utf16le'), 'hé'],
  ['HTML, raw', 'text/html; charset=utf-8', '<p>hi</p>', '<p>hi</p>'],
  ['JSON', 'application/json', '{"a":[1,"x"]}', { a: [1, 'x'] }],
  ['JSON of a kind', 'application/ld+json; charset=utf-8', '["x"]', ['x']],
  ['a JSON text', 'application/json', '"x"', 'x'],
  ['a JSON number', 'application/json', '12.5', '12.5'],
  ['JSON null', 'application/json', 'null', ''],
  ['NDJSON, as text', 'application/x-ndjson', '{"a":1}\n{"a":2}\n', '{"a":1}\n{"a":2}\n'],
  ['XML', 'application/atom+xml', '<a/>', '<a/>'],
  ['no content type', undefined, 'plain', 'plain'],
  ['an octet stream that is text', 'application/octet-stream', 'plain', 'plain'],
  ['a byte order mark', 'text/plain', Buffer.from([0xef, 0xbb, 0xbf, 0x61]), 'a'],
  [
    'a UTF-16 byte order mark against the header',
    'text/plain; charset=utf-8',
    Buffer.from('\ufeffhé', 'utf16le'),
    'hé',
  ],
])('loads %s', async (_name, contentType, body, payload) => {
  const url = await answering(body, contentType === undefined ? {} : { 'content-type': contentType });
  expect(await loaderOf()({ uri: url })).toEqual(payload);
});

test.each<[string, Record<string, string>, string | Buffer, 'UnsupportedMedia' | 'InvalidInput']>([
  ['an image', { 'content-type': 'image/png' }, 'x', 'UnsupportedMedia'],
  ['invalid UTF-8', { 'content-type': 'text/plain' }, Buffer.from([0x61, 0xff, 0x62]), 'UnsupportedMedia'],
  ['bytes of no known type', {}, Buffer.from([0x89, 0x50, 0x4e, 0x47]), 'UnsupportedMedia'],
  ['text with NUL', { 'content-type': 'text/plain' }, 'a\0b', 'InvalidInput'],
  ['JSON with NUL', { 'content-type': 'application/json' }, '{"a":"\\u0000"}', 'InvalidInput'],
  ['JSON with half a surrogate pair', { 'content-type': 'application/json' }, '{"a":"\\ud800"}', 'InvalidInput'],
  ['JSON with a bad key', { 'content-type': 'application/json' }, '{"\\udc00":1}', 'InvalidInput'],
  [
    'JSON nested out of reason',
    { 'content-type': 'application/json' },
    '['.repeat(1e5) + ']'.repeat(1e5),
    'InvalidInput',
  ],
  [
    'JSON with a number that is rounded',
    { 'content-type': 'application/json' },
    '{"a":9007199254740993}',
    'InvalidInput',
  ],
  ['JSON with a field twice', { 'content-type': 'application/json' }, '{"a":1,"a":2}', 'InvalidInput'],
  ['invalid JSON', { 'content-type': 'application/json' }, '{"secret": ', 'UnsupportedMedia'],
  ['an unknown charset', { 'content-type': 'text/plain; charset=klingon' }, 'x', 'UnsupportedMedia'],
  ['an unknown encoding', { 'content-encoding': 'zstd' }, 'x', 'UnsupportedMedia'],
  ['broken gzip', { 'content-encoding': 'gzip' }, 'this is no gzip', 'UnsupportedMedia'],
  ['broken brotli', { 'content-encoding': 'br' }, Buffer.alloc(50, 0xff), 'UnsupportedMedia'],
])('fails permanently on %s', async (_name, headers, body, type) => {
  const error = await rejectionOf(loaderOf()({ uri: await answering(body, headers) }), type);
  expect(error.retryable).toBe(false);
  expect(error.message).not.toContain('secret');
});

test.each([
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['br', brotliCompressSync],
  ['deflate', deflateSync],
] as const)('decompresses %s', async (encoding, compress) => {
  const url = await answering(compress(Buffer.from('hello')), { 'content-encoding': encoding });
  expect(await loaderOf()({ uri: url })).toBe('hello');
});

test('the size limit holds for announced, unannounced and decompressed bytes, and is inclusive', async () => {
  const load = loaderOf({ maxBytes: 1_000 });
  expect(await load({ uri: await answering('x'.repeat(1_000)) })).toHaveLength(1_000);
  await rejectionOf(load({ uri: await answering('x'.repeat(1_001)) }), 'TooLarge');
  const bomb = await answering(gzipSync(Buffer.alloc(50_000_000)), { 'content-encoding': 'gzip' });
  await rejectionOf(load({ uri: bomb }), 'TooLarge');
});

test('an endless answer is cut off at the size limit', async () => {
  let closed = false;
  const url = await serve((_request, response) => {
    const timer = setInterval(() => response.write('x'.repeat(500)), 1);
    response.on('close', () => {
      closed = true;
      clearInterval(timer);
    });
  });
  await rejectionOf(loaderOf({ maxBytes: 10_000 })({ uri: url }), 'TooLarge');
  await expect.poll(() => closed).toBe(true);
});

test.each([
  ['never answers', () => {}],
  [
    'answers and sends its body drop by drop',
    (response: import('node:http').ServerResponse) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    },
  ],
])('the time limit holds for a server that %s, and is retryable', async (_name, answer) => {
  const url = await serve((_request, response) => answer(response));
  const error = await rejectionOf(loaderOf({ timeoutMs: 150 })({ uri: url }), 'LoadFailed');
  expect(error.message).toContain('within 150 ms');
});

test('the time limit holds while a name is being resolved', async () => {
  const load = loaderOf({ timeoutMs: 100, resolve: () => new Promise(() => {}) });
  await rejectionOf(load({ uri: 'http://slow.test/' }), 'LoadFailed');
});

test('the time limit is for all redirects together', async () => {
  const url = await serve(async (request, response) => {
    await delay(80);
    const hop = Number(request.url?.slice(1));
    if (hop === 4) response.end('there');
    else response.writeHead(302, { location: `/${hop + 1}` }).end();
  });
  await rejectionOf(loaderOf({ timeoutMs: 200 })({ uri: `${url}/0` }), 'LoadFailed');
});

test('an aborted signal ends the load with its own reason', async () => {
  const url = await serve(() => {});
  const controller = new AbortController();
  const loading = loaderOf()({ uri: url }, { signal: controller.signal });
  setTimeout(() => controller.abort(new Error('canceled by the user')), 30);
  await expect(loading).rejects.toThrow('canceled by the user');
  await expect(loaderOf()({ uri: url }, { signal: controller.signal })).rejects.toThrow('canceled by the user');
});

test('loads leave no listeners on a signal that outlives them', async () => {
  const { signal } = new AbortController();
  const url = await answering('x');
  for (let times = 0; times < 20; times += 1) await loaderOf()({ uri: url }, { signal });
  await rejectionOf(loaderOf()({ uri: 'http://127.0.0.1:1/' }, { signal }), 'LoadFailed');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test.each([400, 401, 403, 409, 304, 300, 451])('status %i is not retryable', async (status) => {
  const error = await rejectionOf(loaderOf()({ uri: await answering('', {}, status) }), 'LoadRefused');
  expect(error.message).toContain(String(status));
});

test.each([404, 410])('status %i is not found', async (status) => {
  expect((await rejectionOf(loaderOf()({ uri: await answering('', {}, status) }), 'NotFound')).retryable).toBe(false);
});

test.each([408, 425, 429, 500, 502, 503, 504])('status %i is retryable', async (status) => {
  const error = await rejectionOf(loaderOf()({ uri: await answering('', {}, status) }), 'LoadFailed');
  expect(error.retryAfterMs).toBeUndefined();
});

test('Retry-After is passed on, in seconds or as a date', async () => {
  const seconds = await answering('', { 'retry-after': '7' }, 429);
  expect((await rejectionOf(loaderOf()({ uri: seconds }), 'LoadFailed')).retryAfterMs).toBe(7_000);
  const date = await answering('', { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }, 503);
  const { retryAfterMs = 0 } = await rejectionOf(loaderOf()({ uri: date }), 'LoadFailed');
  expect(retryAfterMs).toBeGreaterThan(50_000);
  expect(retryAfterMs).toBeLessThanOrEqual(60_000);
});

test('a refused or reset connection, a truncated body and an unknown name are retryable', async () => {
  await rejectionOf(loaderOf()({ uri: 'http://127.0.0.1:1/' }), 'LoadFailed');
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as import('node:net').AddressInfo;
  await rejectionOf(loaderOf()({ uri: `http://127.0.0.1:${port}/` }), 'LoadFailed');
  const truncated = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('only this');
    setTimeout(() => response.destroy(), 20);
  });
  await rejectionOf(loaderOf()({ uri: truncated }), 'LoadFailed');
  const cut = gzipSync(Buffer.from('hello '.repeat(1_000)));
  const half = await answering(cut.subarray(0, cut.length / 2), { 'content-encoding': 'gzip' });
  await rejectionOf(loaderOf()({ uri: half }), 'LoadFailed');
  const resolve = async () => {
    throw Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' });
  };
  await rejectionOf(loaderOf({ resolve })({ uri: 'http://nowhere.test/' }), 'LoadFailed');
});

test('connections are reused for loads from one host', async () => {
  const ports = new Set<number | undefined>();
  const url = await serve((request, response) => {
    ports.add(request.socket.remotePort);
    response.end('x');
  });
  const load = loaderOf();
  for (let times = 0; times < 5; times += 1) await load({ uri: url });
  expect(ports.size).toBe(1);
});

test('an inline payload is used unchanged if it can be stored', async () => {
  const payload = { a: ['x'] };
  expect(await loaderOf()({ payload, uri: 'http://never.test/' })).toBe(payload);
  expect(await loaderOf()({ payload: '' })).toBe('');
  await rejectionOf(loaderOf()({ payload: { a: '\ud800' } }), 'InvalidInput');
});
