/** Pieces of work that run beside one another, at most `max` at once. */
export class InFlight {
  private readonly max: number;
  /** Those that run, and those that have failed: a wait rejects with their error. */
  private readonly running = new Set<Promise<void>>();

  constructor(max: number) {
    this.max = max;
  }

  /** Begins a piece of work, and waits until another one may begin. Rejects with the error of one that has failed. */
  async add(work: () => Promise<void>): Promise<void> {
    const piece = work().then(() => {
      this.running.delete(piece);
    });
    piece.catch(() => {}); // reported where it is awaited
    this.running.add(piece);
    while (this.running.size >= this.max) await Promise.race(this.running);
  }

  /** Waits until all have ended. Rejects with the error of one that has failed, as soon as it has. */
  async end(): Promise<void> {
    await Promise.all(this.running);
  }

  /** Waits until nothing runs any more, whatever fails. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.running);
  }
}
