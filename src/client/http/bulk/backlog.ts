import type { Pending } from './operation.ts';

/** What operations hold on to until they are carried out: nothing that is ordered after them may be sent meanwhile. */
export class Claims {
  readonly #ids = new Set<string>();
  readonly #originals = new Set<string>();
  readonly #deleted = new Set<string>();

  add({ op, id, originalId }: Pending): void {
    this.#ids.add(id);
    if (op === 'delete') this.#deleted.add(id);
    if (originalId !== undefined) this.#originals.add(originalId);
  }

  /** Two operations on one object keep their order, and so do a deletion and what is derived from its object. */
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
  /** In the order of arrival. */
  number: number;
};

/** Operations that wait to be sent, in the order of their arrival: no more than one batch can hold, and one operation. */
export class Backlog {
  readonly #mostItems: number;
  #mostBytes: number;
  #waiting: Waiting[] = [];
  #bytes = 0;

  constructor(limits: { batchItems: number; batchBytes: number }) {
    this.#mostItems = limits.batchItems;
    this.#mostBytes = limits.batchBytes;
  }

  get isFull(): boolean {
    return this.#waiting.length >= this.#mostItems || this.#bytes >= this.#mostBytes;
  }

  /** The number of the operation that has waited longest; infinite if none waits. */
  get first(): number {
    return this.#waiting[0]?.number ?? Number.POSITIVE_INFINITY;
  }

  add(operation: Waiting): void {
    this.#waiting.push(operation);
    this.#bytes += operation.bytes;
  }

  /** Makes later batches smaller: the other side, or something before it, takes less than was thought. */
  shrink(bytes: number): void {
    this.#mostBytes = Math.max(1, Math.min(this.#mostBytes, bytes));
  }

  /**
   * Takes the next batch: operations of the same kind, each object once, none before one that it must follow. Undefined
   * if all wait for what is in flight.
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
      batch.operations.length < this.#mostItems &&
      batch.bytes + operation.bytes <= this.#mostBytes &&
      isFree(operation, [batch.claims, passed, ...inFlight])
    );
  }
}

function isFree(operation: Pending, claims: readonly Claims[]): boolean {
  return !claims.some((held) => held.holdBack(operation));
}
