import { jsonBytes } from '../contract/json.ts';
import { LIMITS } from '../contract/limits.ts';
import type { Payload } from '../contract/objects.ts';
import type { Hold } from '../cpu/byte-budget.ts';
import { loadedPayloads } from './payload-memory.ts';
import { type Admit, NeedsMemory } from './read-limited.ts';

/** Max loaded payloads of one group. */
const GROUP_BYTES = 24 * 1024 * 1024;
/** Held for a load until its size is known: enough for most. */
const USUAL_BYTES = 1024 * 1024;
/** Held for any larger load: the received bytes and the text made of them are in memory together. */
const LARGE_BYTES = 2 * LIMITS.payloadBytes;

/** Thrown if the group is full: the object belongs to the next one. */
export class Deferred extends Error {}

/**
 * A group of objects that are loaded, embedded and written together: at most about 24 MB, and less if other groups of
 * the process hold the memory. A group waits for others only while it is empty, so no two wait for each other.
 */
export class LoadGroup {
  private readonly signal: AbortSignal | undefined;
  private readonly holds = new Set<Hold>();
  private bytes = 0;
  /** Loads that wait for memory: meanwhile the group gets no other one. */
  private waiting = 0;

  constructor(signal?: AbortSignal) {
    this.signal = signal;
  }

  /**
   * Makes one load attempt. A load that turns out to be large is made again when there is memory for it.
   *
   * @throws Deferred before the load, if it `mayDefer`
   */
  async load(mayDefer: boolean, load: (admit: Admit) => Promise<Payload>): Promise<Payload> {
    try {
      return await this.loadWithin(USUAL_BYTES, mayDefer, load);
    } catch (error) {
      if (!(error instanceof NeedsMemory)) throw error;
      return this.loadWithin(LARGE_BYTES, mayDefer, load);
    }
  }

  release(): void {
    for (const hold of this.holds) hold.release();
    this.holds.clear();
  }

  private async loadWithin(
    bytes: number,
    mayDefer: boolean,
    load: (admit: Admit) => Promise<Payload>,
  ): Promise<Payload> {
    const first = await this.hold(bytes, mayDefer);
    const during = [first];
    this.holds.add(first);
    let held = bytes;
    const admit: Admit = (needed) => {
      if (needed <= held || held >= LARGE_BYTES) return;
      const more = loadedPayloads.tryHold(LARGE_BYTES - held);
      if (!more) throw new NeedsMemory();
      during.push(more);
      held = LARGE_BYTES;
    };
    try {
      const payload = await load(admit);
      const size = jsonBytes(payload);
      this.holds.add(loadedPayloads.count(size));
      this.bytes += size;
      return payload;
    } finally {
      for (const hold of during) hold.release();
      this.holds.delete(first);
    }
  }

  private async hold(bytes: number, mayDefer: boolean): Promise<Hold> {
    if (mayDefer && this.waiting > 0) throw new Deferred();
    const hold = this.bytes < GROUP_BYTES ? loadedPayloads.tryHold(bytes) : undefined;
    if (hold) return hold;
    if (mayDefer && this.holds.size > 0) throw new Deferred();
    const hasSome = this.waiting > 0 || this.holds.size > 0;
    this.waiting += 1;
    try {
      return await loadedPayloads.hold(bytes, { signal: this.signal, hasSome });
    } finally {
      this.waiting -= 1;
    }
  }
}
