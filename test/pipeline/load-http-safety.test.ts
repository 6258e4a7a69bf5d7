import { expect, test } from 'vitest';
import { createHttpLoader } from '../../src/pipeline/load-http.ts';
import { answering, loaderOf, rejectionOf, serve } from './support.ts';

test('five redirects are followed, including relative ones, but not a sixth', async () => {
  const url = await serve((request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end('there');
    else response.writeHead([301, 302, 303, 307, 308][left % 5] ?? 302, { location: `./${left - 1}` }).end();
  });
  expect(await loaderOf()({ uri: `${url}/5` })).toBe('there');
  expect((await rejectionOf(loaderOf()({ uri: `${url}/6` }), 'LoadRefused')).message).toContain('more than 5');
});

test.each(['file:///etc/passwd', 'ftp://example.org/', 'data:text/plain,x', 'http://u:p@example.org/', 'http://[bad/'])(
  'a redirect to %s is refused',
  async (location) => {
    const url = await answering('', { location }, 302);
    await rejectionOf(loaderOf({ fileRoots: ['/'] })({ uri: url }), 'LoadRefused');
  },
);

test('a redirect is checked like the first URL, by literal address and by name', async () => {
  const hops = ['http://127.0.0.2/', 'http://2130706434/', 'http://[::ffff:127.0.0.2]/', 'http://inside.test/'];
  const url = await serve((request, response) => {
    response.writeHead(302, { location: hops[Number(request.url?.slice(1))] }).end();
  });
  const asked: string[] = [];
  const load = createHttpLoader({
    maxBytes: 1_000,
    mayConnect: (address) => address === '127.0.0.1',
    resolve: async (hostname) => {
      asked.push(hostname);
      return [{ address: '127.0.0.2', family: 4 }];
    },
  });
  for (const hop of hops.keys()) {
    await rejectionOf(load(new URL(`${url}/${hop}`), new AbortController().signal), 'LoadRefused');
  }
  expect(asked).toEqual(['inside.test']);
});

test('a name is resolved once for a connection, so that it cannot change between the check and the connection', async () => {
  const url = new URL(await answering('from the checked address'));
  url.hostname = 'rebinding.test';
  let times = 0;
  const load = createHttpLoader({
    maxBytes: 1_000,
    mayConnect: (address) => address === '127.0.0.1',
    resolve: async () => {
      times += 1;
      return [{ address: times === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }];
    },
  });
  expect(await load(url, new AbortController().signal)).toBe('from the checked address');
  expect(times).toBe(1);
});

test.each(['http://localhost:1/', 'http://127.0.0.1:1/', 'http://[::1]:1/', 'http://0x7f.1:1/', 'http://10.0.0.1/'])(
  '%s is refused immediately unless private addresses are allowed',
  async (uri) => {
    await rejectionOf(loaderOf({ allowPrivateAddresses: false })({ uri }), 'LoadRefused');
  },
);

test('a name that resolves to a private address is refused before anything is sent', async () => {
  let requests = 0;
  const url = new URL(
    await serve((_request, response) => {
      requests += 1;
      response.end('secret');
    }),
  );
  url.hostname = 'innocent.test';
  for (const address of ['127.0.0.1', '::ffff:127.0.0.1']) {
    const resolve = async () => [{ address, family: address.includes(':') ? 6 : 4 }];
    const error = await rejectionOf(
      loaderOf({ allowPrivateAddresses: false, resolve })({ uri: url.href }),
      'LoadRefused',
    );
    expect(error.message).toContain('innocent.test');
  }
  expect(requests).toBe(0);
});

test.each(['ftp://a/b', 'data:text/plain,x', 'javascript:1', 'gopher://x/', 's3://bucket/key'])(
  'the scheme of %s is refused',
  async (uri) => {
    await rejectionOf(loaderOf()({ uri }), 'LoadRefused');
  },
);

test('an invalid URI, and an item with neither payload nor URI, is invalid input', async () => {
  await rejectionOf(loaderOf()({ uri: 'a.txt' }), 'InvalidInput');
  await rejectionOf(loaderOf()({}), 'InvalidInput');
});

test('errors name the URI without credentials, query and fragment', async () => {
  const withUser = 'http://user:s3cret@127.0.0.1:1/a?token=s3cret#s3cret';
  expect((await rejectionOf(loaderOf()({ uri: withUser }), 'LoadRefused')).message).toBe(
    'http://127.0.0.1:1/a carries credentials, which are not allowed in a URI',
  );
  const refused = await rejectionOf(loaderOf()({ uri: 'http://127.0.0.1:1/a?token=s3cret' }), 'LoadFailed');
  expect(refused.message).toBe('http://127.0.0.1:1/a could not be loaded (ECONNREFUSED)');
  const data = await rejectionOf(loaderOf()({ uri: 'data:text/plain,s3cret' }), 'LoadRefused');
  expect(data.message).not.toContain('s3cret');
});
