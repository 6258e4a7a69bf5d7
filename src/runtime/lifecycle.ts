import { messageOf, ReembedError } from '../contract/errors.ts';
import type { ProcessContext } from './process-context.ts';

/** Ctrl-C arrives twice if a parent (npm, tsx) forwards the signal that the terminal also sent. */
const SAME_SIGNAL_MS = 1_000;

/** Not SIGHUP: a handler would undo `nohup`. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface StopSignals {
  /** Aborted at the first signal. */
  signal: AbortSignal;
  /** Removes the signal handlers. */
  dispose(): void;
}

/** Turns SIGINT and SIGTERM into an orderly stop; a second signal ends the process immediately. */
export function listenForStop(say: (line: string) => void): StopSignals {
  const controller = new AbortController();
  let first = 0;
  const onSignal = (name: NodeJS.Signals) => {
    if (first === 0) {
      first = Date.now();
      say(`${name}: stopping (repeat to stop immediately)`);
      controller.abort(new Stopped());
    } else if (Date.now() - first > SAME_SIGNAL_MS) {
      say('stopped immediately; running work continues at the next start');
      process.exit(130);
    }
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}

/** The reason of a start that was aborted on request; not an error. */
export class Stopped extends Error {
  constructor() {
    super('stopped');
    this.name = 'Stopped';
  }
}

/** The components of a process, in start order. */
export class Components {
  readonly #stops: { name: string; stop: () => Promise<unknown> }[] = [];
  readonly #end = new AbortController();
  #onLate: ((line: string) => void) | null = null;
  #late: Promise<void> = Promise.resolve();
  /** Aborted when the process is to stop. The reason is {@link Stopped}, or the error with which a component ended. */
  readonly signal: AbortSignal;

  constructor(asked: AbortSignal) {
    this.signal = AbortSignal.any([asked, this.#end.signal]);
  }

  /** Adds a started component. `died` resolves with the reason, or rejects, if it ends unexpectedly. */
  add(name: string, stop: () => Promise<unknown>, died?: Promise<unknown>): void {
    this.#stops.push({ name, stop });
    // A start that could not be aborted immediately may add components after the stop: stops them too.
    if (this.#onLate) this.#late = this.stop(this.#onLate);
    const end = (reason: unknown) =>
      this.#end.abort(reason instanceof Error ? reason : new ReembedError('Internal', `${name} ended unexpectedly`));
    died?.then(end, end);
  }

  /** Resolves when the process is to stop. */
  async ended(): Promise<void> {
    if (this.signal.aborted) return;
    await new Promise((resolve) => this.signal.addEventListener('abort', resolve, { once: true }));
  }

  /** Stops all components in reverse start order. Continues if one cannot be stopped. */
  async stop(onProblem: (line: string) => void): Promise<void> {
    this.#onLate = onProblem;
    await this.#late;
    for (const { name, stop } of this.#stops.splice(0).reverse()) {
      try {
        await stop();
      } catch (error) {
        onProblem(`${name} did not stop cleanly: ${messageOf(error)}`);
      }
    }
  }
}

/** Time that a start has to react to the stop; a step that waits for another machine may not react. */
const GIVE_UP_MS = 5_000;

/** Waits for a start, but for at most `GIVE_UP_MS` after the signal. */
async function settled(starting: Promise<void>, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const givenUp = new Promise<void>((resolve) => {
    const onAbort = () => {
      timer = setTimeout(resolve, GIVE_UP_MS);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    starting.then(resolve, () => {}).finally(() => signal.removeEventListener('abort', onAbort));
  });
  try {
    await Promise.race([starting, givenUp]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Starts components, waits for a stop request or until one of them fails, and always stops them in reverse order.
 * @throws the error of the start or of a component; a requested stop is not an error.
 */
export async function keepRunning(
  context: ProcessContext,
  start: (components: Components, context: ProcessContext) => Promise<void>,
): Promise<void> {
  const components = new Components(context.signal);
  const { signal } = components;
  try {
    await settled(start(components, { ...context, signal }), signal);
    await components.ended();
  } catch (error) {
    // An error of the start after a stop request is a consequence of it.
    if (!signal.aborted) throw error;
  } finally {
    await components.stop(context.say);
  }
  if (!context.signal.aborted) throw signal.reason;
}
