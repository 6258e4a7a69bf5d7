import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { isEventStream } from '../api/on-sent.ts';
import { ReembedError } from '../contract/errors.ts';
import { freePort } from './servers/ports.ts';
import { limitSilence, limitUnread, type SilenceLimits } from './silent-bodies.ts';
import { answerUnreadable } from './unreadable.ts';

const PORT_ATTEMPTS = 10;

export interface HttpServerOptions {
  /** Is given the socket too: what counts streams listens for its end. */
  fetch: (request: Request, bindings: HttpBindings) => Response | Promise<Response>;
  host: string;
  port: number;
  /** Take the next free port when this one is taken. */
  anyPort: boolean;
  /** What it serves and the setting of its port, for people; the API if not given. */
  what?: { name: string; variable: string; host: string };
  /** The usual ones if not given. */
  silence?: SilenceLimits;
}

export interface HttpServer {
  /** `http://host:port`, as a person on this machine would write it. */
  url: string;
  port: number;
  /** From now on each answer ends its connection, so that clients make their next one elsewhere. */
  drain(): void;
  /** Takes no more connections, lets requests under way end for so long, then cuts them. */
  stop(graceMs: number): Promise<void>;
}

/** Serves the API or another thing. @throws ReembedError `InvalidSetting` when host and port cannot be listened on. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { fetch, host } = options;
  const streams = new Set<ServerResponse>();
  const server = createAdaptorServer({
    hostname: host,
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
  server.on('clientError', answerUnreadable);
  limitSilence(server, options.silence);
  limitUnread(server, options.silence?.silenceMs);
  let draining = false;
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    if (draining) response.setHeader('connection', 'close');
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  // A stream of events has no end of its own; its reader connects again by itself.
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
      // Clients keep their connections after the answer: those too are to go, as soon as nothing runs on them.
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
        server.listen({ host, port: candidate, exclusive: true }, () => {
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
          ? `port ${port} of ${host} is taken: set ${what.variable} to another one`
          : `${[...new Set([what.host, what.variable])].join(' and ')} must name an address of this machine that may be listened on, not ${shownHost(host)}:${port} (${message})`;
      throw new ReembedError('InvalidSetting', `the ${what.name} cannot listen: ${advice}`, { cause: error });
    }
  }
}

/** Where a person reaches a server that listens on every address. */
function shownHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** Whether only this machine reaches what listens on the host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
