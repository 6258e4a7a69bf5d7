import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the proxy does with a request: `lose` passes it on and drops the connection instead of the answer. */
export type Fate = 'pass' | 'unavailable' | 'slowDown' | 'drop' | 'lose';

export interface FlakyProxy {
  url: string;
  /** Requests that start tasks: now in flight, and the max so far. */
  running: { now: number; most: number };
  close(): Promise<void>;
}

/** Stands before an API and does to each request that starts a task what `fate` says; the others pass. */
export async function startFlakyProxy(apiUrl: string, fate: () => Fate): Promise<FlakyProxy> {
  const running = { now: 0, most: 0 };
  const server = createServer(async (request, response) => {
    const startsTask = /\/run(\?|$)/.test(request.url ?? '');
    if (startsTask) running.most = Math.max(running.most, ++running.now);
    try {
      const chosen = startsTask ? fate() : 'pass';
      const body = await bodyOf(request);
      if (chosen === 'drop') return void response.destroy();
      if (chosen === 'unavailable') return void response.writeHead(503).end('no upstream');
      if (chosen === 'slowDown') return void response.writeHead(429, { 'retry-after': '0' }).end();
      const answer = await fetch(apiUrl + request.url, {
        method: request.method,
        headers: Object.entries(request.headers).filter(([name]) =>
          /^(content-type|accept|last-event-id)$/.test(name),
        ) as [string, string][],
        ...(body.length > 0 && { body: new Uint8Array(body) }),
      });
      const text = await answer.text();
      if (chosen === 'lose') return void response.destroy();
      response
        .writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
        .end(text);
    } catch {
      response.destroy();
    } finally {
      if (startsTask) running.now--;
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    running,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
