import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface SilenceLimits {
  /** Max. pause within a body that is being read. */
  silenceMs: number;
  /** How long a client may continue to send a body after the response. */
  lateMs: number;
}

export const SILENCE_LIMITS: SilenceLimits = { silenceMs: 60_000, lateMs: 10_000 };

interface Body {
  response: ServerResponse;
  bytes: number;
  since: number;
}

/**
 * Closes connections whose client does not read what was sent to it for `silenceMs`. A client may wait for a response.
 */
export function limitUnread(server: Server, silenceMs: number = SILENCE_LIMITS.silenceMs): void {
  const underWay = new WeakMap<Socket, number>();
  const count = (socket: Socket, change: number) => underWay.set(socket, (underWay.get(socket) ?? 0) + change);
  server.timeout = silenceMs;
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    count(socket, 1);
    response.once('close', () => count(socket, -1));
  });
  // Node emits this when nothing was read or written for `silenceMs`, also during a single large write.
  server.on('timeout', (socket: Socket) => {
    if (underWay.get(socket) && socket.writableLength === 0) socket.setTimeout(silenceMs);
    else socket.destroy();
  });
}

/**
 * Ends requests whose body has stalled, and removes Node's limit on the total time of a body: it may take any time
 * while it makes progress. Time in which the server itself does not read does not count.
 */
export function limitSilence(server: Server, { silenceMs, lateMs }: SilenceLimits = SILENCE_LIMITS): void {
  server.requestTimeout = 0;
  const bodies = new Map<IncomingMessage, Body>();
  const end = (request: IncomingMessage, { response }: Body) => {
    bodies.delete(request);
    if (response.headersSent) return void request.socket.destroy();
    const error = Object.assign(new Error('the request body stalled'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
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
      request.resume();
      const late = setTimeout(() => request.complete || request.socket.destroy(), lateMs);
      late.unref();
      // On the request, because its connection may serve many others.
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
