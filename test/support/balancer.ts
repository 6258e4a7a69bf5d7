import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A balancer of TCP connections before several nodes of a server, such as a Service of Kubernetes. */
export interface Balancer {
  /** `host:port`. */
  address: string;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

/** Starts a balancer: each new connection goes to the next node that accepts one, and ends with it. */
export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // `close` follows
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  let turn = 0;
  const pass = async (client: Socket) => {
    keep(client).pause();
    turn += 1;
    for (let tried = 0; tried < ports.length; tried++) {
      const node = keep(connect(ports[(turn + tried) % ports.length] as number, HOST));
      const isOpen = await Promise.race([
        once(node, 'connect').then(() => true),
        once(node, 'close').then(() => false),
      ]).catch(() => false);
      if (!isOpen) continue;
      node.on('close', () => client.destroy());
      client.on('close', () => node.destroy());
      client.pipe(node).pipe(client);
      return;
    }
    client.destroy();
  };
  const server = createServer((client) => void pass(client));
  server.listen(0, HOST);
  await once(server, 'listening');
  return {
    address: `${HOST}:${(server.address() as AddressInfo).port}`,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
