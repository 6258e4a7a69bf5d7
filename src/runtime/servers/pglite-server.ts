import { createServer, type Server, type Socket } from 'node:net';
import type { PGlite } from '@electric-sql/pglite';
import { type Unit, UnitReader } from './pglite-wire.ts';

/**
 * Lets many Postgres clients share one PGlite, which has one session. Units of work run one at a time, and a client
 * with an open transaction or an incomplete unit keeps its turn until it ends it or disconnects.
 *
 * `@electric-sql/pglite-socket` switches clients between single messages: a client whose parameters arrive in several
 * packets then binds them to another client's statement.
 */
export class PgliteServer {
  readonly #db: PGlite;
  readonly #server: Server;
  readonly #clients = new Set<Client>();
  #waiting: { client: Client; unit: Unit }[] = [];
  /** The only client that may run units; null for any. */
  #turn: Client | null = null;
  #running: Promise<void> | null = null;

  constructor(db: PGlite) {
    this.#db = db;
    this.#server = createServer((socket) => this.#welcome(socket));
  }

  async listen(socketPath: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(socketPath, resolve);
    });
  }

  /** Waits for the running unit and closes every connection; uncommitted changes are rolled back. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#waiting = [];
    for (const client of this.#clients) client.socket.destroy();
    await closed;
    await this.#running;
  }

  #welcome(socket: Socket): void {
    const client: Client = { socket, gone: false };
    const reader = new UnitReader();
    this.#clients.add(client);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const unit of reader.read(chunk)) this.#accept(client, unit);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    // A broken connection also ends with 'close'.
    socket.on('error', () => {});
    socket.on('close', () => {
      client.gone = true;
      this.#clients.delete(client);
      this.#waiting = this.#waiting.filter((entry) => entry.client !== client);
      this.#run();
    });
  }

  #accept(client: Client, unit: Unit): void {
    if (unit.kind === 'encryption') client.socket.write('N');
    else if (unit.kind === 'cancel') client.socket.end();
    else {
      this.#waiting.push({ client, unit });
      this.#run();
    }
  }

  #run(): void {
    this.#running ??= this.#runAll().finally(() => {
      this.#running = null;
    });
  }

  async #runAll(): Promise<void> {
    for (;;) {
      if (this.#turn?.gone) await this.#takeTurnBack();
      const index = this.#turn ? this.#waiting.findIndex(({ client }) => client === this.#turn) : 0;
      const [next] = index < 0 ? [] : this.#waiting.splice(index, 1);
      if (!next) return;
      const { client, unit } = next;
      if (unit.kind === 'goodbye') {
        client.socket.end();
        continue;
      }
      if (unit.kind !== 'startup' && unit.kind !== 'messages') continue;
      try {
        await this.#db.execProtocolRawStream(unit.bytes, {
          // Copied, because the bytes are a view of the database's memory.
          onRawData: (bytes) => void (client.gone || client.socket.write(Buffer.from(bytes))),
        });
      } catch (error) {
        client.socket.destroy(error as Error);
      }
      const halfway = unit.kind === 'messages' && !unit.complete;
      this.#turn = halfway || this.#db.isInTransaction() ? client : null;
    }
  }

  /** Rolls back what a disconnected client left open. */
  async #takeTurnBack(): Promise<void> {
    this.#turn = null;
    await this.#db.exec('rollback');
  }
}

interface Client {
  socket: Socket;
  gone: boolean;
}
