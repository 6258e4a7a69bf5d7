import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ModelKey, modelKeyOf, withWellKnown } from '../../src/contract/model-keys.ts';
import { modelSchema } from '../../src/contract/models.ts';
import { createModelFetch } from '../../src/models/model-fetch.ts';
import { wordsOf } from '../../src/models/model-hosts.ts';
import { createModels } from '../../src/models/models.ts';

const keysOf = (...written: string[]): ModelKey[] =>
  withWellKnown(written.map((one) => modelKeyOf(one) ?? expect.fail(`${one} is no binding`)));
const config = (baseUrl: string, apiKeyEnv?: string) =>
  modelSchema.parse({ provider: 'openai', name: 'm', dimensions: 4, baseUrl, ...(apiKeyEnv && { apiKeyEnv }) });
const make = (keys: ModelKey[], baseUrl: string, apiKeyEnv?: string) => () =>
  createModels({ env: {}, keys }).embedder(config(baseUrl, apiKeyEnv));

describe('an API key', () => {
  const keys = keysOf(
    'MY_KEY=models.internal',
    'OTHER_KEY=https://a.example:8443',
    'PLAIN_KEY=http://b.example:81',
    'L=127.0.0.1',
  );

  test.each([
    ['https://api.openai.com/v1', 'OPENAI_API_KEY'],
    ['https://API.openai.com:443/v1', 'OPENAI_API_KEY'],
    ['https://api.mistral.ai/v1', 'MISTRAL_API_KEY'],
    ['https://models.internal/v1', 'MY_KEY'],
    ['https://models.internal:9000/v1', 'MY_KEY'],
    ['https://a.example:8443/v1', 'OTHER_KEY'],
    ['http://b.example:81/v1', 'PLAIN_KEY'],
    ['http://127.0.0.1:11434/v1', 'L'],
    ['http://10.0.0.5/v1', undefined],
  ])('is sent to the hosts that it is bound to: %s, %s', (baseUrl, variable) => {
    expect(make(keys, baseUrl, variable)).not.toThrow();
  });

  test.each([
    ['https://evil.example/v1', 'OPENAI_API_KEY'],
    ['https://api.openai.com.evil.example/v1', 'OPENAI_API_KEY'],
    ['https://evil.example/api.openai.com', 'OPENAI_API_KEY'],
    ['https://evil.example/?api.openai.com', 'OPENAI_API_KEY'],
    ['http://api.openai.com/v1', 'OPENAI_API_KEY'],
    ['http://127.0.0.1:7400/v1', 'OPENAI_API_KEY'],
    ['http://127.0.0.1:7400/v1', 'HOME'],
    ['http://api.openai.com/v1', undefined],
    ['https://evil.example/v1', 'SECRET_OF_SOMETHING'],
    ['https://evil.example/v1', 'DATABASE_URL'],
    ['http://models.internal/v1', 'MY_KEY'],
    ['https://a.example/v1', 'OTHER_KEY'],
    ['http://b.example:82/v1', 'PLAIN_KEY'],
    ['https://api.mistral.ai/v1', 'OPENAI_API_KEY'],
    ['http://127.0.0.2:11434/v1', 'L'],
  ])('is sent nowhere else: %s, %s', (baseUrl, variable) => {
    expect(make(keys, baseUrl, variable)).toThrow(
      expect.objectContaining({
        type: 'ModelRefused',
        issues: [{ path: 'apiKeyEnv', message: expect.stringContaining('REEMBED_MODEL_KEYS') }],
      }),
    );
  });

  test('loses its usual binding when a setting binds it', () => {
    const own = keysOf('OPENAI_API_KEY=gateway.internal');
    expect(make(own, 'https://gateway.internal/v1', 'OPENAI_API_KEY')).not.toThrow();
    expect(make(own, 'https://api.openai.com/v1', 'OPENAI_API_KEY')).toThrow('may not be sent');
    expect(make(own, 'https://api.mistral.ai/v1', 'MISTRAL_API_KEY')).not.toThrow();
  });

  test.each([
    'MY KEY=a.example',
    'my_key=a.example',
    'REEMBED_TOKEN=a.example',
    'PGPASSWORD=a.example',
    'KEY=',
    '=a.example',
    'KEY=a.example/v1',
    'KEY=ftp://a',
    'KEY=*',
    'KEY=a b',
    '',
  ])('is not bound by %j', (written) => expect(modelKeyOf(written)).toBeUndefined());
});

describe('a link-local or metadata address', () => {
  test.each([
    'http://169.254.169.254/v1',
    'http://169.254.0.1/v1',
    'http://2852039166/v1',
    'http://0xa9fea9fe/v1',
    'http://[::ffff:169.254.169.254]/v1',
    'http://[::169.254.169.254]/v1',
    'http://[64:ff9b::169.254.169.254]/v1',
    'http://[2002:a9fe:a9fe::]/v1',
    'http://[fe80::1]/v1',
    'http://[fd00:ec2::254]/v1',
    'http://[fd00:ec2:0:0:0:0:0:254]/v1',
    'http://[fd20:ce::254]/v1',
    'http://100.100.100.200/v1',
    'http://168.63.129.16/v1',
    'http://192.0.0.192/v1',
  ])('is never called as %s', (baseUrl) => {
    expect(make(keysOf(), baseUrl)).toThrow(expect.objectContaining({ type: 'ModelRefused' }));
  });

  test('is never called behind a name, even among other addresses', async () => {
    for (const address of ['169.254.169.254', 'fd00:ec2::254', '::ffff:a9fe:a9fe']) {
      const fetch = createModelFetch(async () => [
        { address: '127.0.0.1', family: 4 },
        { address, family: address.includes(':') ? 6 : 4 },
      ]);
      const embedder = createModels({ env: {}, fetch }).embedder(config('http://metadata.example/v1'));
      await expect(embedder.embed(['x'], { purpose: 'document' })).rejects.toMatchObject({ type: 'ModelRefused' });
    }
  });

  test('is never called through a redirect', async () => {
    let calls = 0;
    const server = createServer((_request, response) => {
      calls++;
      response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data/' }).end('go there');
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const embedder = createModels({ env: {} }).embedder(config(`http://127.0.0.1:${port}/v1`));
    await expect(embedder.embed(['x'], { purpose: 'document' })).rejects.toMatchObject({
      type: 'ModelRefused',
      message: expect.stringContaining('redirects'),
    });
    expect(calls).toBeGreaterThan(0);
  });
});

describe('the error message of a model', () => {
  test('is shown for known hosts only', () => {
    const keys = keysOf('models.internal', 'K=http://10.0.0.9:80');
    const words = (baseUrl: string) => wordsOf(baseUrl, keys);
    expect(['https://api.openai.com/v1', 'https://models.internal/v1', 'http://10.0.0.9/v1'].map(words)).toEqual(
      Array(3).fill('all'),
    );
    expect(['http://localhost:11434/v1', 'http://[::1]:1/v1', 'http://127.0.0.1/v1'].map(words)).toEqual(
      Array(3).fill('message'),
    );
    expect(['http://10.0.0.5/v1', 'https://evil.example', 'http://10.0.0.9:81/v1'].map(words)).toEqual(
      Array(3).fill('none'),
    );
  });

  test.each([
    ['text', 'root:x:0:0 internal answer'],
    ['application/json', '{"secret":"internal answer"}'],
    ['application/json', '{"error":"internal answer"}'],
  ])('is not shown if the answer, of type %s, is not an error of a model: %s', async (type, body) => {
    for (const status of [400, 401, 404, 500, 200]) {
      const fetch = async () => new Response(body, { status, headers: { 'content-type': type } });
      for (const baseUrl of ['http://127.0.0.1:9200/v1', 'http://10.0.0.5/v1']) {
        const embedder = createModels({ env: {}, fetch }).embedder(config(baseUrl));
        const error = await embedder.embed(['x'], { purpose: 'document' }).catch((thrown: Error) => thrown);
        expect((error as Error).message).not.toContain('internal answer');
      }
    }
  });

  test('is shown in the form of an error only from this machine and listed hosts', async () => {
    const body = JSON.stringify({ error: { message: 'no such model', type: 'x', param: null, code: null } });
    const fetch = async () => new Response(body, { status: 400, headers: { 'content-type': 'application/json' } });
    const messageOf = async (baseUrl: string) =>
      createModels({ env: {}, fetch })
        .embedder(config(baseUrl))
        .embed(['x'], { purpose: 'document' })
        .catch((thrown: Error) => thrown.message);
    expect(await messageOf('http://127.0.0.1:9200/v1')).toContain('no such model');
    expect(await messageOf('http://10.0.0.5/v1')).not.toContain('no such model');
  });
});
