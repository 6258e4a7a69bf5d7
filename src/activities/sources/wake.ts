/** Something that can be waited for, and that remembers one call that came while nobody waited. */
export class Wake {
  private isCalled = false;
  private onCall: () => void = () => {};

  /** Ends the wait that runs, or the next one. */
  readonly call = (): void => {
    this.isCalled = true;
    this.onCall();
  };

  /** Waits for a call, at most `ms` milliseconds, or until the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.isCalled && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.onCall = () => {
          clearTimeout(timer);
          resolve();
        };
        signal.addEventListener('abort', this.onCall, { once: true });
      });
      signal.removeEventListener('abort', this.onCall);
      this.onCall = () => {};
    }
    this.isCalled = false;
  }
}
