import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, type TestContext } from 'vitest';
import { startHttpServer } from '../../src/runtime/http-server.ts';

const silence = { silenceMs: 400, lateMs: 400 };

type Context = Pick<TestContext, 'onTestFinished'>;

async function serverThat(
  { onTestFinished }: Context,
  fetch: (request: Request) => Promise<Response>,
  limits = silence,
) {
  const server = await startHttpServer({ fetch, host: '127.0.0.1', port: 0, anyPort: false, silence: limits });
  onTestFinished(() => server.stop(0));
  return server.port;
}

const length = async (asked: Request) => new Response(String((await asked.text()).length));

/** Sends pieces with a pause before each; returns the status and the answer, or the error. */
function send(port: number, pieces: Iterable<string>, pauseMs: number): Promise<string> {
  return new Promise((resolve) => {
    const sending = request({ port, method: 'POST', headers: { 'content-type': 'application/x-ndjson' } }, (answer) => {
      let text = '';
      answer.on('data', (piece) => {
        text += piece;
      });
      answer.on('end', () => resolve(`${answer.statusCode} ${text}`));
      answer.on('error', () => resolve('cut'));
    });
    sending.on('error', () => resolve('cut'));
    void (async () => {
      for (const piece of pieces) {
        await sleep(pauseMs);
        sending.write(piece);
      }
      if (pauseMs < 10_000) sending.end();
    })();
  });
}

// The tests wait for limits of time.
describe.concurrent('a body', () => {
  it('may take any time while data arrives', async (context) => {
    expect(await send(await serverThat(context, length), Array(12).fill('x'), 120)).toBe('200 12');
  });

  it('ends the request when it stalls', async (context) => {
    const port = await serverThat(context, length);
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () =>
        socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nonly this'),
      );
      socket.on('data', (piece) => {
        text += piece;
      });
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 .*did not arrive in time/s);
  });

  it('does not count as stalled while the server does not read it', async (context) => {
    const port = await serverThat(context, async (asked) => {
      await sleep(1_500);
      return length(asked);
    });
    expect(await send(port, ['x'.repeat(3_000_000)], 0)).toBe('200 3000000');
  });

  it('may end after the answer, which a slow client then still gets', async (context) => {
    const port = await serverThat(context, async () => new Response('no', { status: 401 }), {
      ...silence,
      lateMs: 10_000,
    });
    const text = await new Promise<string>((resolve) => {
      let received = '';
      const socket = connect(port, '127.0.0.1', async () => {
        socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 15\r\n\r\n');
        for (let sent = 0; sent < 15; sent++) {
          await sleep(100);
          socket.write('x');
        }
        socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
      });
      socket.on('data', (piece) => {
        received += piece;
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(received));
    });
    expect(text.match(/HTTP\/1.1 401/g)).toHaveLength(2);
  });

  it('is not read forever after the answer was sent', async (context) => {
    const port = await serverThat(context, async () => new Response('no', { status: 401 }));
    const closed = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n');
        const trickle = setInterval(() => socket.write('x'), 50);
        socket.on('error', () => {});
        socket.on('close', () => {
          clearInterval(trickle);
          resolve(true);
        });
      });
    });
    expect(closed).toBe(true);
  });
});

describe('a connection', () => {
  it('keeps nothing of requests that were answered before their bodies arrived', async ({ onTestFinished }) => {
    const listeners: number[] = [];
    const server = await startHttpServer({
      fetch: async (_request, { incoming }) => {
        listeners.push(incoming.socket.listenerCount('close'));
        return new Response('no', { status: 401 });
      },
      host: '127.0.0.1',
      port: 0,
      anyPort: false,
    });
    onTestFinished(() => server.stop(0));
    const socket = connect(server.port, '127.0.0.1');
    for (let sent = 0; sent < 5; sent++) {
      socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nab');
      await once(socket, 'data');
      socket.write('cd');
    }
    socket.destroy();
    expect(listeners).toEqual(Array(5).fill(listeners[0]));
  });
});

describe.concurrent('an answer', () => {
  it('ends with its connection if nobody reads it', async (context) => {
    let hasEnded = false;
    const endless = () =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)),
        cancel: () => {
          hasEnded = true;
        },
      });
    const port = await serverThat(context, async () => new Response(endless()));
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n'));
    socket.pause().on('error', () => {});
    context.onTestFinished(() => void socket.destroy());
    await expect.poll(() => hasEnded, { timeout: 90_000 }).toBe(true);
  });

  it('may take longer to begin than a body may be silent', async (context) => {
    const port = await serverThat(context, async () => {
      await sleep(1_500);
      return new Response('late');
    });
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('late');
  });
});
