import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What the proxy does: `cutCommits` ends each connection that sends COMMIT PREPARED, `refuse` ends all of them. */
export type Cut = 'nothing' | 'cutCommits' | 'refuse';

export interface CuttingProxy {
  /** `host:port`. */
  node: string;
  /** COMMIT PREPAREDs that did not arrive. */
  cuts: number;
  set(cut: Cut): void;
  close(): Promise<void>;
}

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** Stands before a Postgres; the client must accept a connection without TLS, which the proxy can read. */
export async function startCuttingProxy(node: string): Promise<CuttingProxy> {
  const [host = '', port = ''] = node.split(':');
  let cut: Cut = 'nothing';
  const sockets = new Set<Socket>();
  const end = (...of: Socket[]) => {
    for (const socket of of) socket.destroy();
  };
  const server = createServer((client) => {
    if (cut === 'refuse') return end(client);
    const upstream = connect(Number(port), host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => end(client, upstream));
      socket.on('close', () => {
        sockets.delete(socket);
        end(client, upstream);
      });
    }
    client.on('data', (data) => {
      if (data.equals(SSL_REQUEST)) return client.write('N');
      if (cut === 'cutCommits' && data.includes('COMMIT PREPARED')) {
        proxy.cuts += 1;
        return end(client, upstream);
      }
      return upstream.write(data);
    });
    upstream.on('data', (data) => client.write(data));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: CuttingProxy = {
    node: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: 0,
    set(next) {
      cut = next;
      if (cut === 'refuse') end(...sockets);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        end(...sockets);
      }),
  };
  return proxy;
}
