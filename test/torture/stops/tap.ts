import { connect, createServer, type Server, type Socket } from 'node:net';

/** One statement on its way to Postgres. */
export interface Statement {
  sql: string;
  /** Name of its session. */
  application: string;
  /** Earlier statements of its transaction; empty outside of one. */
  before: readonly string[];
}

/**
 * Where a message is stopped: before it is sent, in the middle, or when it has arrived completely and its answer has
 * not been returned.
 */
export type Where = 'before' | 'within' | 'after';

/** Stops a connection at a statement until the promise resolves; called once for each statement. */
export type Choose = (statement: Statement) => { where: Where; until: Promise<void> } | null;

const PARSE = 0x50;
const QUERY = 0x51;
const SYNC = 0x53;
const HEAD_BYTES = 5;

/**
 * Proxy between one process and Postgres that reads each statement and can stop it at any point, as if its process
 * had stopped there.
 */
export class Tap {
  choose: Choose = () => null;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  constructor(host: string, port: number) {
    this.server = createServer((client) => {
      const upstream = connect(port, host);
      for (const socket of [client, upstream]) {
        this.sockets.add(socket);
        socket.setNoDelay(true);
        socket.on('error', () => {}); // `close` follows
        socket.on('close', () => {
          this.sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
      }
      const line = new Line(client, upstream, (statement) => this.choose(statement));
      client.on('data', (data) => line.push(data));
      upstream.pipe(client);
    });
  }

  /** Starts to listen and returns the port. */
  async start(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, '127.0.0.1', resolve);
    });
    return (this.server.address() as { port: number }).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

/** Forwards the messages of one client one by one. */
class Line {
  private readonly client: Socket;
  private readonly upstream: Socket;
  private readonly choose: Choose;
  private rest = Buffer.alloc(0);
  private application: string | null = null;
  private before: string[] = [];
  private held = false;
  private passNext = false;
  private heldAtSync: Promise<void> | null = null;

  constructor(client: Socket, upstream: Socket, choose: Choose) {
    this.client = client;
    this.upstream = upstream;
    this.choose = choose;
  }

  push(data: Buffer): void {
    this.rest = this.rest.length === 0 ? Buffer.from(data) : Buffer.concat([this.rest, data]);
    if (!this.held) this.forward();
  }

  private forward(): void {
    while (!this.held) {
      const bytes = this.messageBytes();
      if (bytes === null) return;
      const message = this.rest.subarray(0, bytes);
      if (this.application === null) {
        this.application = /application_name\0([^\0]*)/.exec(message.toString('latin1'))?.[1] ?? '';
        this.send(bytes);
        continue;
      }
      const sql = sqlOf(message);
      const stop = sql === null || this.passNext ? null : this.stopAt(sql);
      this.passNext = false;
      if (stop && stop.where !== 'after') {
        if (stop.where === 'before') this.hold(stop.until);
        else this.holdWithin(bytes, stop.until);
        return;
      }
      if (stop) this.heldAtSync = stop.until;
      const isWhole = message[0] === SYNC || message[0] === QUERY;
      this.send(bytes);
      if (isWhole && this.heldAtSync) {
        const until = this.heldAtSync;
        this.heldAtSync = null;
        this.hold(until);
      }
    }
  }

  /** Length of the first message; null if it is incomplete. */
  private messageBytes(): number | null {
    const head = this.application === null ? 0 : 1;
    if (this.rest.length < head + 4) return null;
    const bytes = head + this.rest.readUInt32BE(head);
    return this.rest.length < bytes ? null : bytes;
  }

  private stopAt(sql: string) {
    const text = sql.trim();
    const begins = /^(start transaction|begin)/i.test(text);
    const stop = this.choose({ sql: text, application: this.application ?? '', before: this.before });
    if (begins) this.before = [text];
    else if (/^(commit|rollback)/i.test(text)) this.before = [];
    else if (this.before.length > 0) this.before.push(text);
    return stop;
  }

  private send(bytes: number): void {
    this.upstream.write(Buffer.from(this.rest.subarray(0, bytes)));
    this.rest = this.rest.subarray(bytes);
  }

  /** Sends a statement with values and the beginning of the values, or half of a statement without values. */
  private holdWithin(bytes: number, until: Promise<void>): void {
    let whole = bytes;
    let sent = bytes >> 1;
    if (this.rest[0] === PARSE) {
      this.send(bytes);
      whole = this.messageBytes() ?? 0;
      sent = Math.min(HEAD_BYTES, whole);
    }
    this.send(sent);
    this.hold(until, whole - sent);
  }

  /** `left`: unsent bytes of a partly sent message, to be sent before anything else. */
  private hold(until: Promise<void>, left = 0): void {
    this.held = true;
    this.upstream.unpipe(this.client);
    void until.then(() => {
      this.held = false;
      if (!this.client.destroyed) this.upstream.pipe(this.client);
      this.send(left);
      // A message that was stopped before it was sent is not stopped again.
      this.passNext = left === 0;
      this.forward();
    });
  }
}

function sqlOf(message: Buffer): string | null {
  if (message[0] === QUERY) return message.toString('utf8', HEAD_BYTES, message.length - 1);
  if (message[0] !== PARSE) return null;
  const nameEnd = message.indexOf(0, HEAD_BYTES);
  return message.toString('utf8', nameEnd + 1, message.indexOf(0, nameEnd + 1));
}
