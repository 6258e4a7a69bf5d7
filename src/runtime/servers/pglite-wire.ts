/**
 * Splits what a Postgres client sends into units that a single-user database can run one at a time.
 *
 * The messages of the extended protocol (parse, bind, execute, …) belong together up to their sync: if those of two
 * clients were mixed, one would bind its values to the statement of the other. So a unit ends with a sync or a simple
 * query, and until then its client keeps the turn.
 */
export type Unit =
  /** A request for encryption before the startup, which is declined. */
  | { kind: 'encryption' }
  /** A request to cancel a query of another connection, which a single-threaded database cannot process. */
  | { kind: 'cancel' }
  | { kind: 'startup'; bytes: Uint8Array }
  | { kind: 'goodbye' }
  /** Messages to run; `complete` unless the client requests results before its sync (flush). */
  | { kind: 'messages'; bytes: Uint8Array; complete: boolean };

const STARTUP_VERSION = 196_608;
const CANCEL_CODE = 80_877_102;
const ENCRYPTION_CODES = [80_877_103, 80_877_104];

const SYNC = 'S'.charCodeAt(0);
const QUERY = 'Q'.charCodeAt(0);
const FUNCTION_CALL = 'F'.charCodeAt(0);
const FLUSH = 'H'.charCodeAt(0);
const TERMINATE = 'X'.charCodeAt(0);

/** Reads the units from one connection. */
export class UnitReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #started = false;
  #messages: Buffer[] = [];

  /** Accepts a chunk and yields every unit that it completes. */
  *read(chunk: Buffer): Generator<Unit> {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    for (;;) {
      const unit = this.#started ? this.#nextMessages() : this.#nextOpening();
      if (unit === null) return;
      yield unit;
    }
  }

  #nextOpening(): Unit | null {
    const head = this.#peek(8);
    if (head === null) return null;
    const length = head.readInt32BE(0);
    const code = head.readInt32BE(4);
    if (length < 8 || length > 10_000) throw new Error('not a Postgres client');
    const message = this.#take(length);
    if (message === null) return null;
    if (ENCRYPTION_CODES.includes(code)) return { kind: 'encryption' };
    if (code === CANCEL_CODE) return { kind: 'cancel' };
    if (code >> 16 !== STARTUP_VERSION >> 16) throw new Error('not a Postgres client of protocol 3');
    this.#started = true;
    return { kind: 'startup', bytes: message };
  }

  #nextMessages(): Unit | null {
    for (;;) {
      const head = this.#peek(5);
      if (head === null) return null;
      const type = head[0];
      const message = this.#take(1 + head.readInt32BE(1));
      if (message === null) return null;
      if (type === TERMINATE) return { kind: 'goodbye' };
      this.#messages.push(message);
      if (type === SYNC || type === QUERY || type === FUNCTION_CALL || type === FLUSH) {
        const bytes = Buffer.concat(this.#messages);
        this.#messages = [];
        return { kind: 'messages', bytes, complete: type !== FLUSH };
      }
    }
  }

  #peek(length: number): Buffer | null {
    if (this.#bytes < length) return null;
    let first = this.#chunks[0] as Buffer;
    if (first.length < length) {
      first = Buffer.concat(this.#chunks);
      this.#chunks = [first];
    }
    return first;
  }

  /** Takes a message once it is complete: a large one arrives in many chunks, which are joined only once. */
  #take(length: number): Buffer | null {
    if (this.#bytes < length) return null;
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    const rest = all.subarray(length);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#bytes -= length;
    return all.subarray(0, length);
  }
}
