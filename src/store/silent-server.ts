import pg from 'pg';

/**
 * Returns a class of clients that end their session when a statement has no answer after `ms` milliseconds: one whose
 * network or pooler went silent would wait for ever. The statement then fails as of a lost connection.
 */
export function clientOfSilentServer(ms: number): typeof pg.Client {
  return class extends pg.Client {
    override query(...args: unknown[]): never {
      const answered: unknown = Reflect.apply(super.query, this, args);
      if (answered instanceof Promise) this.#endUnless(answered);
      return answered as never;
    }

    #endUnless(answered: Promise<unknown>): void {
      const timer = setTimeout(() => {
        const { connection } = this as unknown as { connection: { stream: { destroy(error: Error): void } } };
        connection.stream.destroy(new Error(`Connection terminated: no answer for ${ms / 1_000} s`));
      }, ms);
      const clear = () => clearTimeout(timer);
      answered.then(clear, clear);
    }
  };
}
