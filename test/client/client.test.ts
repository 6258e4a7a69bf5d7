import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, type ReembedError } from '../../src/client/client.ts';
import type { Tracker } from '../../src/contract/tasks.ts';

const TRACKER: Tracker = {
  id: 't',
  type: 'upsert',
  parentId: null,
  status: 'processing',
  detail: '',
  createTime: '2026-01-01T00:00:00.000Z',
  updateTime: '2026-01-01T00:00:00.000Z',
  attempts: 1,
  maxAttempts: 3,
  lock: null,
  lockTime: null,
  lockExpireTime: null,
  version: 1,
  progress: { done: 0, total: 1, failed: 0, perSecond: 0, etaSeconds: null },
  data: { nested: [{ a: null }] },
  errors: [],
  steering: [],
  children: {},
  links: { workflowId: 't', runId: 'r' },
};

type Answer = (request: Request) => Response | Promise<Response>;

/** A client whose requests are all answered by the function and recorded. */
function clientOf(answer: Answer, token?: string) {
  const requests: Request[] = [];
  const client = createClient({
    baseUrl: 'http://api.example/',
    token,
    fetch: async (url, init) => {
      const request = new Request(url as string, init as RequestInit);
      requests.push(request);
      return answer(request);
    },
  });
  return { client, requests };
}

const json = (body: unknown, status = 200) => Response.json(body, { status });

describe('an error', () => {
  it('is the one that the API returned, with its fields', async () => {
    const problem = {
      type: 'urn:reembed:error:ReindexConflict',
      title: 'x',
      status: 409,
      detail: 'in the way',
      reason: 'sourceLocked',
      issues: [{ path: 'dest', message: 'no' }],
    };
    const { client } = clientOf(() =>
      Response.json(problem, {
        status: 409,
        headers: { 'content-type': 'application/problem+json', 'retry-after': '7' },
      }),
    );
    await expect(client.indexes.list()).rejects.toMatchObject({
      type: 'ReindexConflict',
      message: 'in the way',
      status: 409,
      reason: 'sourceLocked',
      issues: [{ path: 'dest', message: 'no' }],
      retryAfterMs: 7_000,
    });
  });

  it('has the time to retry when a proxy asks to slow down', async () => {
    const date = new Date(Date.now() + 60_000).toUTCString();
    const { client } = clientOf(() => new Response('', { status: 429, headers: { 'retry-after': date } }));
    const error = await client.indexes.list().catch((thrown: unknown) => thrown as ReembedError);
    expect(error).toMatchObject({ type: 'TooManyRequests' });
    expect((error as ReembedError).retryAfterMs).toBeGreaterThan(50_000);
  });

  it.each([
    [502, 'ServerUnavailable'],
    [401, 'Unauthorized'],
    [404, 'NotFound'],
    [418, 'Internal'],
  ])('an answer of an intermediary with status %i is %s', async (status, type) => {
    const { client } = clientOf(() => new Response('<html>', { status }));
    await expect(client.indexes.list()).rejects.toMatchObject({ type });
  });

  it('is chosen by status for a problem type that this client does not know', async () => {
    const body = { type: 'urn:reembed:error:FromTheFuture', title: 'x', status: 404, detail: 'y' };
    const { client } = clientOf(() =>
      Response.json(body, { status: 404, headers: { 'content-type': 'application/problem+json' } }),
    );
    await expect(client.indexes.list()).rejects.toMatchObject({ type: 'NotFound' });
  });

  it('reports that nothing answers, and where', async () => {
    const client = createClient({ baseUrl: 'http://127.0.0.1:1' });
    await expect(client.aliases.list()).rejects.toMatchObject({
      type: 'ServerUnavailable',
      message: expect.stringMatching(/127\.0\.0\.1:1.*ECONNREFUSED|127\.0\.0\.1:1.*bad port/),
    });
  });

  it('reports an answer that does not fit the contract, and where in it', async () => {
    const { client } = clientOf(() => json({ indexes: [{ name: 5 }] }));
    await expect(client.indexes.list()).rejects.toMatchObject({
      type: 'Internal',
      message: expect.stringContaining('indexes.0.'),
    });
    const { client: page } = clientOf(() => new Response('<html>'));
    await expect(page.aliases.list()).rejects.toMatchObject({ type: 'Internal' });
  });
});

describe('a request', () => {
  it('has the token and encodes the segments of the path', async () => {
    const { client, requests } = clientOf(() => json({}, 404), 'secret');
    await expect(client.objects.get('docs', 'a/b ?#%')).rejects.toThrow();
    expect(requests[0]?.url).toBe('http://api.example/v1/indexes/docs/objects/a%2Fb%20%3F%23%25');
    expect(requests[0]?.headers.get('authorization')).toBe('Bearer secret');
  });

  it('is not made for ids that cannot be in a URL', async () => {
    const { client, requests } = clientOf(() => json({}));
    for (const id of ['.', '..']) {
      await expect(client.objects.get('docs', id)).rejects.toMatchObject({ type: 'InvalidInput' });
    }
    expect(requests).toEqual([]);
  });

  it('waits for a task first in the call, then by events', async () => {
    const done = { ...TRACKER, status: 'done', updateTime: '2026-01-01T00:00:01.000Z' };
    let streams = 0;
    const { client, requests } = clientOf(({ url }) => {
      if (url.includes('/run')) return json(TRACKER, 202);
      if (++streams === 1)
        return new Response(`: hello\n\nevent: tracker\nid: 1\ndata: ${JSON.stringify(TRACKER)}\n\n`);
      if (streams === 2) return new Response(`event: tracker\r\nid: 2\r\ndata: ${JSON.stringify(done)}\r\n\r\n`);
      return new Response(null, { status: 204 });
    });
    const tracker = await client.tasks.delete({ index: 'docs', ids: ['a'] }, { wait: true });
    expect(tracker.status).toBe('done');
    expect(new URL(requests[0]?.url ?? '').searchParams.get('wait')).toBe('true');
    expect(requests.slice(1).map((request) => request.headers.get('last-event-id'))).toEqual([null, '1', '2']);
  });

  it('returns the last known state of a task after the timeout', async () => {
    const { client } = clientOf(({ url, signal }) => {
      if (url.includes('/run') || url.includes('/info')) return json(TRACKER, 202);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const start = Date.now();
    const tracker = await client.tasks.reindex({ source: 'a', dest: 'b' }, { wait: 0.3 });
    expect([tracker.status, Date.now() - start < 2_000]).toEqual(['processing', true]);
  });

  it('keeps asking for events while the API restarts', async () => {
    let streams = 0;
    const { client } = clientOf(() => {
      streams++;
      if (streams === 1) return new Response(`event: tracker\nid: 1\ndata: ${JSON.stringify(TRACKER)}\n\n`);
      return streams === 2 ? new Response('starting', { status: 503 }) : new Response(null, { status: 204 });
    });
    const seen: Tracker[] = [];
    for await (const tracker of client.tasks.events('t')) seen.push(tracker);
    expect([seen.length, streams]).toEqual([1, 3]);
  });
});

it('pauses between requests for events while their streams end immediately', async () => {
  const asked: number[] = [];
  const { client } = clientOf(() => {
    asked.push(performance.now());
    return asked.length < 3 ? new Response('') : new Response(null, { status: 204 });
  });
  for await (const _ of client.tasks.events('t')) throw new Error('there was no event');
  expect(asked).toHaveLength(3);
  expect((asked[2] as number) - (asked[0] as number)).toBeGreaterThan(900);
});

describe('a long answer or body, over a real connection', () => {
  let server: Server;
  let handle: Parameters<typeof createServer>[1];
  let baseUrl: string;
  beforeAll(async () => {
    server = createServer((request, response) => handle?.(request, response as never));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('is an error, not an end, when it is interrupted', async () => {
    const object = { id: 'a', version: 1, payload: 'é🦁', metadata: {}, originalId: null, uri: null, failed: false };
    handle = (_, response) => {
      const bytes = Buffer.from(`${JSON.stringify(object)}\n`);
      const middle = bytes.indexOf(Buffer.from('🦁')) + 2;
      response.write(bytes.subarray(0, middle));
      setTimeout(() => response.write(bytes.subarray(middle)), 50);
      setTimeout(() => response.destroy(), 150);
    };
    const seen: unknown[] = [];
    const read = async () => {
      for await (const one of createClient({ baseUrl }).objects.stream('docs')) seen.push(one);
    };
    await expect(read()).rejects.toMatchObject({ type: 'ServerUnavailable' });
    expect(seen).toEqual([object]);
  });

  it('is sent while it is read, no faster than the receiver accepts it', async () => {
    let taken = 0;
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    handle = async (request, response) => {
      await released;
      for await (const chunk of request) taken += chunk.length;
      response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify(TRACKER));
    };
    let given = 0;
    function* items() {
      for (; given < 2_000; given++) yield { id: `i${given}`, payload: 'x'.repeat(20_000) };
    }
    const sent = createClient({ baseUrl }).tasks.upsertStream('docs', items());
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(given).toBeLessThan(1_500);
    release();
    expect((await sent).id).toBe('t');
    expect([given, taken > 40_000_000]).toEqual([2_000, true]);
  });

  it('fails with the error of its source', async () => {
    handle = (request) => request.resume();
    async function* items() {
      yield { id: 'a', payload: 'x' };
      throw new RangeError('the source is broken');
    }
    await expect(createClient({ baseUrl }).tasks.upsertStream('docs', items())).rejects.toThrow('the source is broken');
  });
});
