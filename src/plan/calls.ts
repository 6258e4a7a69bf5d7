import { SLICES, sizeSlices } from '../store/protocol/slices.ts';
import { MAX_READ_WEIGHT } from '../store/read-size.ts';

export interface CallsInput {
  /** Objects of the source, tombstones included, and those of them to copy. */
  total: number;
  copied: number;
  concurrency: number;
  batchSize: number;
  maxTexts: number;
  maxChars: number;
  /** See `Sample`. */
  meanWeight: number;
  /** The characters of the texts of each sampled object to copy. */
  copies: readonly (readonly number[])[];
}

export interface CallPlan {
  /** Batches of objects, and how many are copied at once. */
  batches: number;
  batchesAtOnce: number;
  calls: number;
  /** Calls that one batch makes one after the other. */
  roundsPerBatch: number;
  charsPerCall: number;
  textsPerCall: number;
}

/** Calls of one batch that are made at once; see `EmbedSession`. */
export const CALLS_OF_BATCH = 2;
/** Max batches that are tried out; more are extrapolated. */
const TRIED = 40;

/** Forms batches and calls from the sampled objects as a reindex would. */
export function planCalls(input: CallsInput): CallPlan {
  const { total, copied, concurrency, batchSize, copies, meanWeight } = input;
  const { size, inFlightOf } = sizeSlices(total, { ...SLICES, lanes: concurrency });
  const slices = Math.max(1, Math.ceil(total / size));
  const inFlight = inFlightOf(slices);
  const byWeight = meanWeight > 0 ? Math.max(1, Math.ceil(MAX_READ_WEIGHT / meanWeight)) : batchSize;
  const perBatch = Math.min(batchSize, Math.ceil(size / inFlight), byWeight);
  const perSlice = Math.round(copied / slices);
  const batches = slices * Math.ceil(perSlice / perBatch);
  const batchesAtOnce = Math.max(1, Math.min(batches, Math.min(concurrency, slices) * inFlight));

  const tried = { batches: 0, calls: 0, rounds: 0, chars: 0, texts: 0 };
  let next = 0;
  for (let batch = 0; copies.length > 0 && batch < Math.min(batches, TRIED); batch++) {
    // The last batch of a slice has what is left.
    const place = batch % Math.ceil(perSlice / perBatch);
    const objects = Math.min(perBatch, perSlice - place * perBatch);
    const texts = Array.from({ length: objects }, () => copies[next++ % copies.length] ?? []).flat();
    const calls = callsOf(texts, input);
    tried.batches++;
    tried.calls += calls;
    tried.rounds += Math.ceil(calls / CALLS_OF_BATCH);
    tried.texts += texts.length;
    tried.chars += texts.reduce((sum, chars) => sum + chars, 0);
  }
  const perTried = (sum: number) => (tried.batches === 0 ? 0 : sum / tried.batches);
  const perCall = (sum: number) => (tried.calls === 0 ? 0 : sum / tried.calls);
  return {
    batches,
    batchesAtOnce,
    calls: Math.round(perTried(tried.calls) * batches),
    roundsPerBatch: perTried(tried.rounds),
    charsPerCall: perCall(tried.chars),
    textsPerCall: perCall(tried.texts),
  };
}

/** Counts the calls for the texts of one batch; a longer text goes alone. */
function callsOf(texts: readonly number[], { maxTexts, maxChars }: Pick<CallsInput, 'maxTexts' | 'maxChars'>): number {
  let calls = 0;
  let count = 0;
  let sum = 0;
  for (const chars of texts) {
    if (count === 0 || count >= maxTexts || sum + chars > maxChars) {
      calls++;
      count = 0;
      sum = 0;
    }
    count++;
    sum += chars;
  }
  return calls;
}
