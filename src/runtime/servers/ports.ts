import { createServer } from 'node:net';

/** Listens on `port` of `host` briefly and returns the port, or null if it is in use; 0 uses any free port. */
async function listenOnce(host: string, port: number): Promise<number | null> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(null);
      else reject(error);
    });
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : null));
    });
  });
}

/**
 * Returns the first free port from `from` upwards, or any free port without `from` or if no port near it is free.
 * Another process may take it before it is used, so callers must be prepared to retry. `not` is a port that is reserved
 * for something else.
 */
export async function freePort(host: string, from?: number, not?: number): Promise<number> {
  for (let port = from ?? 0; port > 0 && port < Math.min((from ?? 0) + 100, 65_536); port += 1) {
    if (port !== not && (await listenOnce(host, port)) !== null) return port;
  }
  const port = await listenOnce(host, 0);
  if (port !== null && port === not) return await freePort(host, undefined, not);
  if (port === null) throw new Error(`no free port on ${host}`);
  return port;
}
