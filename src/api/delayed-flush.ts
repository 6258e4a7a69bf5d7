/** What is collected goes to the database this long after the first of it. */
const FLUSH_MS = 2_000;

/** Stores what a process collects in batches, one after the other. */
export class DelayedFlush {
  readonly #store: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  /** `store` takes everything collected so far, and does not reject. */
  constructor(store: () => Promise<void>) {
    this.#store = store;
  }

  /** Stores within two seconds, together with what is collected until then. */
  schedule(): void {
    this.#timer ??= setTimeout(() => void this.now(), FLUSH_MS).unref();
  }

  /** Stores now, after the batches before. */
  async now(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing = this.#flushing.then(this.#store);
    await this.#flushing;
  }
}
