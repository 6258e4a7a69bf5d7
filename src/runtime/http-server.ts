import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { answerUnreadable } from '../api/client-error.ts';
import { isEventStream } from '../api/response-end.ts';
import { ReembedError } from '../contract/errors.ts';
import { freePort } from './servers/ports.ts';
import { limitSilence, limitUnread, type SilenceLimits } from './silent-bodies.ts';

const PORT_ATTEMPTS = 10;
const KEEP_ALIVE_MS = 75_000;
/** Connections that wait to be accepted; the system may allow fewer. With Node's 511, many clients at once get resets. */
const BACKLOG = 4_096;

export interface HttpServerOptions {
  /** Also gets the socket, so that the counter of streams can listen for its end. */
  fetch: (request: Request, bindings: HttpBindings) => Response | Promise<Response>;
  host: string;
  port: number;
  /** Use the next free port if this one is in use. */
  anyPort: boolean;
  /** Name of the server and the settings of its address, for messages; default: those of the API. */
  what?: { name: string; variable: string; host: string };
  /** Default: `SILENCE_LIMITS`. */
  silence?: SilenceLimits;
}

export interface HttpServer {
  /** `http://host:port`, as reachable from this machine. */
  url: string;
  port: number;
  /** Closes the connection after each response from now on, so that clients reconnect elsewhere. */
  drain(): void;
  /** Accepts no more connections, gives running requests `graceMs` to end, then closes them. */
  stop(graceMs: number): Promise<void>;
}

/** Starts an HTTP server. @throws ReembedError `InvalidSetting` if it cannot listen on host and port. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { fetch, host } = options;
  const streams = new Set<ServerResponse>();
  const server = createAdaptorServer({
    hostname: host,
    // The adapter closes a connection 500 ms after an answer that did not wait for the whole body: a slow client gets a
    // reset instead of the answer. `limitSilence` gives it more time.
    autoCleanupIncoming: false,
    fetch: async (request: Request, bindings: HttpBindings) => {
      const { outgoing } = bindings;
      const answer = await fetch(request, bindings);
      if (isEventStream(answer)) {
        streams.add(outgoing);
        outgoing.once('close', () => streams.delete(outgoing));
      }
      return answer;
    },
  } as Parameters<typeof createAdaptorServer>[0]) as Server;
  // Longer than load balancers keep a connection, which otherwise may use one that is being closed.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on('clientError', answerUnreadable);
  limitSilence(server, options.silence);
  limitUnread(server, options.silence?.silenceMs);
  let draining = false;
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    if (draining) response.setHeader('connection', 'close');
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  // An event stream never ends by itself; its reader reconnects automatically.
  const endStreams = () => {
    for (const stream of streams) stream.once('error', () => {}).end();
  };
  return {
    url: `http://${shownHost(host)}:${port}`,
    port,
    drain: () => {
      draining = true;
    },
    stop: async (graceMs) => {
      const closed = new Promise((resolve) => server.close(resolve));
      endStreams();
      // Closes keep-alive connections as soon as they are idle.
      const idle = setInterval(() => server.closeIdleConnections(), 50);
      const cut = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearInterval(idle);
      clearTimeout(cut);
    },
  };
}

const API = { name: 'API', variable: 'REEMBED_PORT', host: 'REEMBED_HOST' };

async function listen(server: Server, { host, port, anyPort, what = API }: HttpServerOptions): Promise<void> {
  for (let attempt = 1, candidate = port; ; attempt += 1) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port: candidate, exclusive: true, backlog: BACKLOG }, () => {
          server.off('error', reject);
          resolve();
        });
      });
      return;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE' && anyPort && attempt < PORT_ATTEMPTS) {
        candidate = await freePort(host, candidate + 1);
        continue;
      }
      const advice =
        code === 'EADDRINUSE'
          ? `port ${port} of ${host} is in use: set ${what.variable} to another one`
          : `${[...new Set([what.host, what.variable])].join(' and ')} must be an address of this machine that allows listening, not ${shownHost(host)}:${port} (${message})`;
      throw new ReembedError('InvalidSetting', `the ${what.name} cannot listen: ${advice}`, { cause: error });
    }
  }
}

/** Returns the host for URLs, also of a server that listens on all addresses. */
function shownHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** Returns whether a server on this host is reachable only from this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
