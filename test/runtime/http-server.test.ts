import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { startHttpServer } from '../../src/runtime/http-server.ts';

const host = '127.0.0.1';

/** An event to wait for. */
function signal(): { given: Promise<void>; give(): void } {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}

test('a port in use is replaced by the next free one on request, or reported in one clear line', async () => {
  const fetch = () => new Response('ok');
  const first = await startHttpServer({ fetch, host, port: 0, anyPort: false });
  onTestFinished(() => first.stop(0));
  const second = await startHttpServer({ fetch, host, port: first.port, anyPort: true });
  onTestFinished(() => second.stop(0));
  expect(second.port).not.toBe(first.port);
  expect(await (await globalThis.fetch(second.url)).text()).toBe('ok');
  await expect(startHttpServer({ fetch, host, port: first.port, anyPort: false })).rejects.toThrow(
    /port \d+ of 127.0.0.1 is in use: set REEMBED_PORT/,
  );
});

test('a stop lets requests in progress end and accepts no new ones', async () => {
  const arrived = signal();
  const released = signal();
  const server = await startHttpServer({
    fetch: async () => {
      arrived.give();
      await released.given;
      return new Response('late');
    },
    host,
    port: 0,
    anyPort: false,
  });
  const answer = fetch(server.url);
  await arrived.given;
  const stopped = server.stop(90_000);
  released.give();
  expect(await (await answer).text()).toBe('late');
  await stopped;
  await expect(fetch(server.url)).rejects.toThrow();
});

test('a stop ends event streams immediately and completely, and cuts requests after the grace period', async () => {
  const arrived = signal();
  const server = await startHttpServer({
    fetch: (request) => {
      if (request.url.endsWith('/slow')) {
        arrived.give();
        return new Promise<Response>(() => {});
      }
      const body = new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode('data: 1\n\n')) });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    },
    host,
    port: 0,
    anyPort: false,
  });
  const stream = await fetch(`${server.url}/events`);
  const reading = stream.text().catch(() => 'cut');
  const slow = fetch(`${server.url}/slow`).catch(() => 'cut');
  await arrived.given;
  await server.stop(300);
  expect(await reading).toBe('data: 1\n\n');
  expect(await slow).toBe('cut');
});

test('a stop does not wait for event streams', async () => {
  const server = await startHttpServer({
    fetch: () => new Response(new ReadableStream(), { headers: { 'content-type': 'text/event-stream' } }),
    host,
    port: 0,
    anyPort: false,
  });
  const stream = await fetch(server.url);
  // Longer than the test may last.
  await server.stop(600_000);
  expect(await stream.text()).toBe('');
});

test.each([
  [
    'headers that are too long',
    `GET / HTTP/1.1\r\nHost: x\r\nCookie: ${'a'.repeat(20_000)}\r\n\r\n`,
    431,
    'HeadersTooLarge',
  ],
  ['what is not HTTP', 'HELLO\r\n\r\n', 400, 'InvalidInput'],
])('%s are answered with problem details, like every error', async (_what, sent, status, type) => {
  const server = await startHttpServer({ fetch: () => new Response('ok'), host, port: 0, anyPort: false });
  onTestFinished(() => server.stop(0));
  const socket = connect(server.port, host);
  socket.write(sent);
  const [head, body] = (await text(socket)).split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*Content-Type: application/problem\\+json`));
  expect(JSON.parse(body ?? '')).toMatchObject({ status, type: `urn:reembed:error:${type}` });
});
