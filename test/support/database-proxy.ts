import { connect, createServer, type Server, type Socket } from 'node:net';

/** A way to a Postgres server that can be cut. */
export class DatabaseProxy {
  /** The address of the database, through the proxy. */
  readonly url: string;
  private server: Server;
  private readonly port: number;
  private readonly upstream: URL;
  private readonly sockets = new Set<Socket>();
  private isSilent = false;

  private constructor(url: string, server: Server) {
    this.upstream = new URL(url);
    this.server = server;
    this.port = (server.address() as { port: number }).port;
    const through = new URL(url);
    through.host = `127.0.0.1:${this.port}`;
    this.url = through.href;
    server.on('connection', (client) => this.pass(client));
  }

  static async start(url: string): Promise<DatabaseProxy> {
    return new DatabaseProxy(url, await listening(0));
  }

  /** Ends all sessions; new ones are refused. */
  async refuse(): Promise<void> {
    this.isSilent = false;
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Passes no more data in either direction, and closes no connection. */
  silence(): void {
    this.isSilent = true;
    for (const socket of this.sockets) socket.pause().unpipe();
  }

  /** Passes again, for new sessions, after `refuse`. */
  async open(): Promise<void> {
    this.server = await listening(this.port);
    this.server.on('connection', (client) => this.pass(client));
  }

  async stop(): Promise<void> {
    if (this.server.listening) await this.refuse();
  }

  private pass(client: Socket): void {
    const pair = this.isSilent
      ? [client.pause()]
      : [client, connect(Number(this.upstream.port), this.upstream.hostname)];
    for (const socket of pair) {
      this.sockets.add(socket);
      socket.on('error', () => {}); // `close` follows
      socket.on('close', () => {
        this.sockets.delete(socket);
        for (const one of pair) one.destroy();
      });
    }
    const [, server] = pair;
    if (server) client.pipe(server).pipe(client);
  }
}

async function listening(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}
