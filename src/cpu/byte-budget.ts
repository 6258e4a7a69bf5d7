/** Bytes that were taken from a budget. */
export interface Hold {
  /** Gives back all but so many. */
  shrink(bytes: number): void;
  /** Gives all back; once is enough. */
  release(): void;
}

export interface TakeOptions {
  /** How long to wait for others to give bytes back. */
  waitMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * Memory that the work of a process shares. Who needs more bytes than are left waits, the longest waiting first. A need
 * above the whole budget takes all of it.
 */
export class ByteBudget {
  private left: number;
  private readonly total: number;
  private readonly waiting = new Set<{ bytes: number; go: () => void }>();

  constructor(total: number) {
    this.total = total;
    this.left = total;
  }

  /** Takes bytes that are there already, more than are left if need be. */
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

  /** Undefined when there are too few left, or others wait for them. */
  tryTake(bytes: number): Hold | undefined {
    const needed = Math.min(bytes, this.total);
    if (this.waiting.size > 0 || needed > this.left) return undefined;
    return this.add(needed);
  }

  /** Undefined when the time is over. Rejects when the signal is aborted. */
  async take(bytes: number, { waitMs, signal }: TakeOptions): Promise<Hold | undefined> {
    signal?.throwIfAborted();
    const hold = this.tryTake(bytes);
    if (hold) return hold;
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.waiting.delete(one);
      };
      const needed = Math.min(bytes, this.total);
      const one = {
        bytes: needed,
        go: () => {
          end();
          resolve(this.add(needed));
        },
      };
      const abort = () => {
        end();
        this.serve(); // those behind it may need less
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
    for (const one of this.waiting) {
      if (one.bytes > this.left) return;
      one.go();
    }
  }
}
