interface Reading {
  now: Promise<unknown>;
  next: Promise<unknown> | null;
}

/**
 * Runs at most one read per key at a time. Callers that arrive during a read share the next one: the read in progress may
 * lack what the caller has just written.
 */
export class SharedReads<T> {
  private readonly reading = new Map<string, Reading>();

  /** Reads, or joins the next read of the key. Calls with one key must read the same thing. */
  read(key: string, read: () => Promise<T>): Promise<T> {
    const current = this.reading.get(key);
    if (current) {
      current.next ??= current.now.catch(() => {}).then(() => this.begin(key, read));
      return current.next as Promise<T>;
    }
    return this.begin(key, read);
  }

  private begin(key: string, read: () => Promise<T>): Promise<T> {
    const now = read();
    const mine: Reading = { now, next: null };
    this.reading.set(key, mine);
    const forget = () => {
      if (this.reading.get(key) === mine && mine.next === null) this.reading.delete(key);
    };
    now.then(forget, forget);
    return now;
  }
}
