/** Bytes taken from a budget. */
export interface Hold {
  /** Returns all but this many bytes. */
  shrink(bytes: number): void;
  /** Returns all bytes; further calls do nothing. */
  release(): void;
}

/** A number of bytes that grows as data arrives. */
export interface Growing extends Hold {
  /** Grows or shrinks. Returns false if too few bytes are left or others wait for them. */
  tryGrow(toBytes: number): boolean;
  /** Grows, waiting if necessary; false after `waitMs`. Rejects if the signal aborts. */
  grow(toBytes: number, options: TakeOptions): Promise<boolean>;
}

export interface TakeOptions {
  /** How long to wait for others to return bytes. */
  waitMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * Memory shared by the work of a process. Callers that need more than is left wait in order. A request above the whole
 * budget takes all of it. Of those that grow, the one that has held bytes the longest never
 * waits; otherwise several could each hold a part and none finish.
 */
export class ByteBudget {
  private left: number;
  private readonly total: number;
  private readonly waiting = new Set<{ bytes: number; growing?: Growing | undefined; go: () => void }>();
  /** Growing holds that have bytes, oldest first. */
  private readonly growing = new Set<Growing>();

  constructor(total: number) {
    this.total = total;
    this.left = total;
  }

  /** Takes bytes that are already in use, even more than are left. */
  add(bytes: number): Hold {
    let held = bytes;
    this.left -= held;
    const shrink = (to: number) => {
      if (to >= held) return;
      this.left += held - to;
      held = to;
      this.serve();
    };
    return { shrink, release: () => shrink(0) };
  }

  /** Takes bytes; undefined if there are too few or others are waiting. */
  tryTake(bytes: number): Hold | undefined {
    const needed = Math.min(bytes, this.total);
    if (this.waiting.size > 0 || needed > this.left) return undefined;
    return this.add(needed);
  }

  /** Takes bytes, waiting if necessary; undefined after `waitMs`. Rejects if the signal aborts. */
  async take(bytes: number, options: TakeOptions): Promise<Hold | undefined> {
    options.signal?.throwIfAborted();
    const hold = this.tryTake(bytes);
    if (hold) return hold;
    const needed = Math.min(bytes, this.total);
    return this.wait(needed, () => this.add(needed), options);
  }

  /** Creates a hold of no bytes that can grow. */
  open(): Growing {
    let held = 0;
    const set = (bytes: number) => {
      this.left -= bytes - held;
      held = bytes;
      if (held === 0) this.growing.delete(growing);
      else this.growing.add(growing);
      return true;
    };
    const shrink = (bytes: number) => {
      if (bytes >= held) return;
      set(bytes);
      this.serve();
    };
    const growing: Growing = {
      shrink,
      release: () => shrink(0),
      tryGrow: (bytes) => {
        if (bytes <= held) shrink(bytes);
        else if (this.isOldest(growing) || (this.waiting.size === 0 && bytes - held <= this.left)) set(bytes);
        else return false;
        return true;
      },
      grow: async (bytes, options) => {
        options.signal?.throwIfAborted();
        if (growing.tryGrow(bytes)) return true;
        const needed = Math.min(bytes - held, this.total);
        return (await this.wait(needed, () => set(bytes), options, growing)) ?? false;
      },
    };
    return growing;
  }

  private isOldest(growing: Growing): boolean {
    const [oldest] = this.growing;
    return growing === oldest;
  }

  private wait<T>(
    bytes: number,
    get: () => T,
    { waitMs, signal }: TakeOptions,
    growing?: Growing,
  ): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.waiting.delete(one);
      };
      const one = {
        bytes,
        growing,
        go: () => {
          end();
          resolve(get());
        },
      };
      const abort = () => {
        end();
        this.serve(); // later ones may need less
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        end();
        this.serve();
        resolve(undefined);
      }, waitMs);
      signal?.addEventListener('abort', abort, { once: true });
      this.waiting.add(one);
    });
  }

  private serve(): void {
    for (const one of this.waiting) if (one.growing && this.isOldest(one.growing)) one.go();
    for (const one of this.waiting) {
      if (one.bytes > this.left) return;
      one.go();
    }
  }
}
