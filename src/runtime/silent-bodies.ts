import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface SilenceLimits {
  /** The longest pause within a body that is being waited for. */
  silenceMs: number;
  /** How long a client may go on sending a body that was answered already. */
  lateMs: number;
}

export const SILENCE_LIMITS: SilenceLimits = { silenceMs: 60_000, lateMs: 10_000 };

interface Body {
  response: ServerResponse;
  bytes: number;
  since: number;
}

/**
 * Ends connections whose client reads nothing of what was sent to it for so long. One that waits for its answer may do so.
 */
export function limitUnread(server: Server, silenceMs: number = SILENCE_LIMITS.silenceMs): void {
  const underWay = new WeakMap<Socket, number>();
  const count = (socket: Socket, change: number) => underWay.set(socket, (underWay.get(socket) ?? 0) + change);
  server.timeout = silenceMs;
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    count(socket, 1);
    response.once('close', () => count(socket, -1));
  });
  // Node calls this when nothing was read or written for so long, of a single large write too.
  server.on('timeout', (socket: Socket) => {
    if (underWay.get(socket) && socket.writableLength === 0) socket.setTimeout(silenceMs);
    else socket.destroy();
  });
}

/**
 * Ends requests whose body has stopped coming, and takes away Node's limit on a body as a whole: one of any length may
 * come for as long as it goes on. Time in which the server itself does not read does not count.
 */
export function limitSilence(server: Server, { silenceMs, lateMs }: SilenceLimits = SILENCE_LIMITS): void {
  server.requestTimeout = 0;
  const bodies = new Map<IncomingMessage, Body>();
  const end = (request: IncomingMessage, { response }: Body) => {
    bodies.delete(request);
    if (response.headersSent) return void request.socket.destroy();
    const error = Object.assign(new Error('the body stopped coming'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    server.emit('clientError', error, request.socket);
  };
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    if (
      request.complete ||
      ((request.headers['content-length'] ?? '0') === '0' && !request.headers['transfer-encoding'])
    )
      return;
    bodies.set(request, { response, bytes: request.socket.bytesRead, since: Date.now() });
    request.once('close', () => bodies.delete(request));
    response.once('finish', () => {
      if (request.complete) return;
      const late = setTimeout(() => request.complete || request.socket.destroy(), lateMs);
      late.unref();
      // Of the request: its connection may go on with many others.
      request.once('close', () => clearTimeout(late));
    });
  });
  const looks = setInterval(() => {
    const now = Date.now();
    for (const [request, body] of bodies) {
      const { bytesRead } = request.socket;
      if (request.complete) bodies.delete(request);
      else if (bytesRead !== body.bytes || request.readableLength > 0)
        Object.assign(body, { bytes: bytesRead, since: now });
      else if (now - body.since >= silenceMs) end(request, body);
    }
  }, silenceMs / 4);
  looks.unref();
  server.once('close', () => clearInterval(looks));
}
