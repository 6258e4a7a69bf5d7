import { ByteBudget, type Hold } from '../cpu/byte-budget.ts';

const MB = 1024 * 1024;
/** After this time a part that is kept in reserve may be used: others may wait long for their model. */
const PATIENCE_MS = 30_000;

interface HoldOptions {
  signal?: AbortSignal | undefined;
  /**
   * Whether the caller has memory of the same kind already. It then continues after 30 s in any case; otherwise callers
   * that wait for each other would wait forever.
   */
  hasSome?: boolean;
}

/** Memory that one process uses for one kind of payloads. Their processing takes several times this. */
class PayloadMemory {
  private readonly usual: ByteBudget;
  private readonly reserve: ByteBudget;

  constructor(bytes: number, reserve: number) {
    this.usual = new ByteBudget(bytes);
    this.reserve = new ByteBudget(reserve);
  }

  /** Takes memory, waiting as long as necessary. Rejects if the signal aborts. */
  async hold(bytes: number, { signal, hasSome = false }: HoldOptions = {}): Promise<Hold> {
    for (;;) {
      const hold = (await this.usual.take(bytes, { waitMs: PATIENCE_MS, signal })) ?? this.reserve.tryTake(bytes);
      if (hold) return hold;
      if (hasSome) return this.count(bytes);
    }
  }

  /** Takes memory if it is free. */
  tryHold(bytes: number): Hold | undefined {
    return this.usual.tryTake(bytes);
  }

  /** Counts payloads that are in memory already. */
  count(bytes: number): Hold {
    return this.usual.add(bytes);
  }
}

/** Payloads read from Postgres. Nothing that has memory of `loadedPayloads` waits for it: the two do not block. */
export const storedPayloads = new PayloadMemory(48 * MB, 16 * MB);
/** Payloads loaded from URIs. */
export const loadedPayloads = new PayloadMemory(40 * MB, 20 * MB);
