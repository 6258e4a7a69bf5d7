import type { Pending } from './operation.ts';

/** The objects of operations in flight: operations that must follow them are held back until they are done. */
class Claims {
  readonly #ids = new Set<string>();
  readonly #originals = new Set<string>();
  readonly #deleted = new Set<string>();

  add({ op, id, originalId }: Pending): void {
    this.#ids.add(id);
    if (op === 'delete') this.#deleted.add(id);
    if (originalId !== undefined) this.#originals.add(originalId);
  }

  /** Preserves the order of operations on one object, and of a deletion and objects derived from the deleted one. */
  holdBack({ op, id, originalId }: Pending): boolean {
    if (this.#ids.has(id)) return true;
    return op === 'delete' ? this.#originals.has(id) : originalId !== undefined && this.#deleted.has(originalId);
  }
}

export interface Batch {
  op: Pending['op'];
  operations: Waiting[];
  claims: Claims;
}

export type Waiting = Pending & {
  /** Number in order of arrival. */
  number: number;
};

/** Operations that wait to be sent, in order of arrival: at most one batch and one operation. */
export class Backlog {
  readonly #maxItems: number;
  #maxBytes: number;
  #waiting: Waiting[] = [];
  #bytes = 0;

  constructor(limits: { batchItems: number; batchBytes: number }) {
    this.#maxItems = limits.batchItems;
    this.#maxBytes = limits.batchBytes;
  }

  get isFull(): boolean {
    return this.#waiting.length >= this.#maxItems || this.#bytes >= this.#maxBytes;
  }

  /** The number of the oldest waiting operation; infinite if none waits. */
  get first(): number {
    return this.#waiting[0]?.number ?? Number.POSITIVE_INFINITY;
  }

  add(operation: Waiting): void {
    this.#waiting.push(operation);
    this.#bytes += operation.bytes;
  }

  /** Makes later batches smaller, because the API, or a proxy before it, accepts less than expected. */
  shrink(bytes: number): void {
    this.#maxBytes = Math.max(1, Math.min(this.#maxBytes, bytes));
  }

  /**
   * Takes the next batch: operations of one kind, each object once, none before one that it must follow. Undefined if
   * all of them must wait for batches in flight.
   */
  take(inFlight: readonly Claims[]): Batch | undefined {
    const passed = new Claims();
    let batch: (Batch & { bytes: number }) | undefined;
    const left: Waiting[] = [];
    for (const operation of this.#waiting) {
      if (batch ? this.#mayJoin(operation, batch, passed, inFlight) : isFree(operation, [passed, ...inFlight])) {
        batch ??= { op: operation.op, operations: [], claims: new Claims(), bytes: 0 };
        batch.operations.push(operation);
        batch.claims.add(operation);
        batch.bytes += operation.bytes;
      } else {
        left.push(operation);
        passed.add(operation);
      }
    }
    this.#waiting = left;
    this.#bytes -= batch?.bytes ?? 0;
    return batch;
  }

  #mayJoin(operation: Waiting, batch: Batch & { bytes: number }, passed: Claims, inFlight: readonly Claims[]): boolean {
    return (
      operation.op === batch.op &&
      batch.operations.length < this.#maxItems &&
      batch.bytes + operation.bytes <= this.#maxBytes &&
      isFree(operation, [batch.claims, passed, ...inFlight])
    );
  }
}

function isFree(operation: Pending, claims: readonly Claims[]): boolean {
  return !claims.some((held) => held.holdBack(operation));
}
