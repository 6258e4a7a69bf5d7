import type { Embedder } from '../contract/embedder.ts';
import { ReembedError, TRUNCATED } from '../contract/errors.ts';

export interface Probe {
  calls: number;
  texts: number;
  chars: number;
  /** As counted by the provider; null if it does not say. */
  tokens: number | null;
  ms: number;
  /** Returns the milliseconds of a single call with this many characters; null if no call was measured. */
  callMs: ((chars: number) => number) | null;
  /** Number of calls that the model answers in the time of one, if they are made at once. */
  speedup: (calls: number) => number;
  /** The error that ended the probe early. */
  failed: ReembedError | null;
}

/** Calls with real texts alone, and at once; before them two calls with one word. */
const ALONE = 2;
const AT_ONCE = 3;
/** Max characters of all calls together. */
const MAX_CHARS = 300_000;
const WITHIN_MS = 20_000;
/** Max wait of one call for the limits of the model. */
const MAX_WAIT_MS = 5_000;
const WORD = 'hello';
/** Share of the ideal speed-up from which the model is taken to answer any number of calls at once. */
const SCALES = 0.7;

export interface ProbeOptions {
  /** Texts of a usual call. */
  callTexts: number;
  /** Calls that a reindex makes at once. */
  callsAtOnce: number;
  /** Characters that the model adds to each text. */
  prefixChars: number;
  signal: AbortSignal;
}

/** Makes a few calls with the sizes of a reindex. A model that fails ends the probe; only an abort rejects. */
export async function probeModel(embedder: Embedder, texts: readonly string[], options: ProbeOptions): Promise<Probe> {
  const run = new Run(embedder, options);
  try {
    await run.all(texts);
  } catch (error) {
    options.signal.throwIfAborted();
    if (run.isLate()) run.failed = new ReembedError('ModelUnavailable', `The probe ended after ${WITHIN_MS / 1_000} s`);
    else if (error instanceof ReembedError) run.failed = error;
    else throw error;
  }
  return run.result();
}

interface Timed {
  chars: number;
  ms: number;
}

class Run {
  failed: ReembedError | null = null;
  private readonly embedder: Embedder;
  private readonly options: ProbeOptions;
  private readonly late = AbortSignal.timeout(WITHIN_MS);
  private readonly startMs = performance.now();
  private calls = 0;
  private texts = 0;
  private chars = 0;
  private tokens: number | null = null;
  private word: Timed | null = null;
  private alone: Timed | null = null;
  private measuredSpeedup: number | null = null;

  constructor(embedder: Embedder, options: ProbeOptions) {
    this.embedder = embedder;
    this.options = options;
  }

  isLate(): boolean {
    return this.late.aborted;
  }

  async all(texts: readonly string[]): Promise<void> {
    // The first call opens a connection, or loads the model.
    await this.call([WORD]);
    this.word = await this.call([WORD]);
    const { callTexts, callsAtOnce } = this.options;
    const atOnce = Math.min(AT_ONCE, callsAtOnce);
    const planned = ALONE + (atOnce > 1 ? atOnce : 0);
    const batches = batchesOf(texts, planned, {
      texts: Math.min(callTexts, this.embedder.maxTexts),
      chars: Math.min(this.embedder.maxChars, MAX_CHARS / planned),
    });
    for (const batch of batches.slice(0, ALONE)) {
      const timed = await this.call(batch);
      if (this.alone === null || timed.ms < this.alone.ms) this.alone = timed;
    }
    const together = batches.slice(ALONE);
    if (together.length < 2 || this.alone === null) return;
    const startMs = performance.now();
    await Promise.all(together.map((batch) => this.call(batch)));
    const ms = performance.now() - startMs;
    this.measuredSpeedup = Math.max(1, (together.length * this.alone.ms) / ms) / together.length;
  }

  private async call(texts: string[]): Promise<Timed> {
    const { prefixChars, signal } = this.options;
    const chars = texts.reduce((sum, text) => sum + text.length + prefixChars, 0);
    this.calls++;
    let heldMs = 0;
    const startMs = performance.now();
    const answered = this.embedder.embed(texts, {
      purpose: 'document',
      signal: AbortSignal.any([signal, this.late]),
      maxWaitMs: MAX_WAIT_MS,
      onHold: (_why, forMs) => {
        heldMs += forMs;
      },
      onUsage: (tokens) => {
        this.tokens = (this.tokens ?? 0) + tokens;
      },
    });
    await answered.catch((error: unknown) => {
      // The model has answered, and counted these tokens.
      if (!(error instanceof ReembedError && error.reason === TRUNCATED)) throw error;
    });
    this.texts += texts.length;
    this.chars += chars;
    return { chars, ms: Math.max(0.01, performance.now() - startMs - heldMs) };
  }

  result(): Probe {
    const { calls, texts, chars, tokens, failed, word, alone, measuredSpeedup } = this;
    const { callsAtOnce } = this.options;
    return {
      ...{ calls, texts, chars, tokens, failed },
      ms: performance.now() - this.startMs,
      callMs: alone && ((size) => msOf(size, alone, word)),
      speedup: (wanted) => {
        if (measuredSpeedup === null) return 1;
        return measuredSpeedup >= SCALES ? wanted : Math.min(wanted, measuredSpeedup * Math.min(AT_ONCE, callsAtOnce));
      },
    };
  }
}

/** Cuts the texts into as many calls; the texts of a small sample are used again. */
function batchesOf(texts: readonly string[], count: number, max: { texts: number; chars: number }): string[][] {
  if (texts.length === 0) return [];
  let at = 0;
  return Array.from({ length: count }, () => {
    const batch: string[] = [];
    let chars = 0;
    while (batch.length < Math.min(max.texts, texts.length)) {
      const text = texts[at % texts.length] as string;
      if (batch.length > 0 && chars + text.length > max.chars) break;
      batch.push(text);
      chars += text.length;
      at++;
    }
    return batch;
  });
}

/** The time of a call is a fixed part and a part that grows with its characters. */
function msOf(chars: number, alone: Timed, word: Timed | null): number {
  const fixedMs = Math.min(word?.ms ?? 0, alone.ms);
  return fixedMs + ((alone.ms - fixedMs) * chars) / Math.max(1, alone.chars);
}
