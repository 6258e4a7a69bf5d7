import { messageOf, ReembedError } from '../contract/errors.ts';
import type { ProcessContext } from './context.ts';

/** Ctrl-C reaches us twice when a parent (npm, tsx) hands on what the terminal also sent us. */
const SAME_SIGNAL_MS = 1_000;

/** Not SIGHUP: a handler would undo `nohup`. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface StopSignals {
  /** Aborted at the first signal. */
  signal: AbortSignal;
  /** Gives the signals back to the system. */
  dispose(): void;
}

/** Turns SIGINT and SIGTERM into one orderly stop; the second one ends the process at once. */
export function listenForStop(say: (line: string) => void): StopSignals {
  const controller = new AbortController();
  let first = 0;
  const onSignal = (name: NodeJS.Signals) => {
    if (first === 0) {
      first = Date.now();
      say(`${name}: stopping (once more to stop at once)`);
      controller.abort(new Stopped());
    } else if (Date.now() - first > SAME_SIGNAL_MS) {
      say('stopped at once; what was under way goes on at the next start');
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

/** Why a start was given up: someone asked for it, nothing is wrong. */
export class Stopped extends Error {
  constructor() {
    super('stopped');
    this.name = 'Stopped';
  }
}

/** The components of a process, in the order of their start. */
export class Components {
  readonly #stops: { name: string; stop: () => Promise<unknown> }[] = [];
  readonly #end = new AbortController();
  #onLate: ((line: string) => void) | null = null;
  #late: Promise<void> = Promise.resolve();
  /** Aborted when the process is to stop, with the reason: {@link Stopped}, or the error with which a component ended. */
  readonly signal: AbortSignal;

  constructor(asked: AbortSignal) {
    this.signal = AbortSignal.any([asked, this.#end.signal]);
  }

  /**
   * Takes charge of something that was started. `died` resolves with the reason, or rejects, when it ends without being
   * asked to.
   */
  add(name: string, stop: () => Promise<unknown>, died?: Promise<unknown>): void {
    this.#stops.push({ name, stop });
    // A start that could not be given up at once has gone on: what it still brings is stopped as it comes.
    if (this.#onLate) this.#late = this.stop(this.#onLate);
    const end = (reason: unknown) =>
      this.#end.abort(reason instanceof Error ? reason : new ReembedError('Internal', `${name} ended by itself`));
    died?.then(end, end);
  }

  /** Waits until the process is to stop. */
  async ended(): Promise<void> {
    if (this.signal.aborted) return;
    await new Promise((resolve) => this.signal.addEventListener('abort', resolve, { once: true }));
  }

  /** Stops all, the last one started first. One that cannot be stopped does not keep the others from it. */
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

/** How long a start may take to notice that it is to end: a step that waits for another machine may not notice. */
const GIVE_UP_MS = 5_000;

/** Waits for a start, but after the signal for a short time only. */
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
 * Starts components, keeps them until a stop is asked for or one of them dies, and stops them in reverse order whatever
 * happens. @throws what the start or a component failed with; a stop that was asked for is no failure.
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
    // What a start fails with once it is to end anyway is a consequence.
    if (!signal.aborted) throw error;
  } finally {
    await components.stop(context.say);
  }
  if (!context.signal.aborted) throw signal.reason;
}
