import type { Payload } from '../contract/objects.ts';
import { ByteBudget, type Hold } from '../cpu/byte-budget.ts';

/** Of loaded payloads that one process holds. */
const LOADED = new ByteBudget(96 * 1024 * 1024);
/** Of one group. */
const GROUP_BYTES = 32 * 1024 * 1024;
/** Held for a load until its size is known. */
const EXPECTED_BYTES = 4 * 1024 * 1024;
/** The first object of a group is loaded after this time in any case: those who hold the memory may wait for a model. */
const LONGEST_WAIT_MS = 30_000;

/** The group is full: the object belongs to the next one. */
export class Deferred extends Error {}

/**
 * Objects that are loaded, embedded and written together: about 32 MB of them at most, and fewer where other groups of the
 * process hold the memory. A group waits for others only while it is empty, so that no two wait for each other.
 */
export class LoadGroup {
  private readonly signal: AbortSignal | undefined;
  private readonly holds = new Set<Hold>();
  private bytes = 0;

  constructor(signal?: AbortSignal) {
    this.signal = signal;
  }

  /** One try of a load. @throws Deferred before the load, if it `mayDefer` */
  async load(mayDefer: boolean, load: () => Promise<Payload>): Promise<Payload> {
    const hold = await this.hold(mayDefer);
    this.holds.add(hold);
    try {
      const payload = await load();
      const size = sizeOf(payload);
      hold.shrink(size);
      if (size > EXPECTED_BYTES) this.holds.add(LOADED.add(size - EXPECTED_BYTES));
      this.bytes += size;
      return payload;
    } catch (error) {
      hold.release();
      this.holds.delete(hold);
      throw error;
    }
  }

  release(): void {
    for (const hold of this.holds) hold.release();
    this.holds.clear();
  }

  private async hold(mayDefer: boolean): Promise<Hold> {
    const hold = this.bytes < GROUP_BYTES ? LOADED.tryTake(EXPECTED_BYTES) : undefined;
    if (hold) return hold;
    if (mayDefer && this.holds.size > 0) throw new Deferred();
    const options = { waitMs: LONGEST_WAIT_MS, signal: this.signal };
    return (await LOADED.take(EXPECTED_BYTES, options)) ?? LOADED.add(EXPECTED_BYTES);
  }
}

function sizeOf(payload: Payload): number {
  return typeof payload === 'string' ? payload.length : JSON.stringify(payload).length;
}
