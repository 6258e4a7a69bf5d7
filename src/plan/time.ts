import { costOf, type ModelLimit } from '../contract/model-limits.ts';
import type { Basis, ReindexPlan } from '../contract/plan.ts';
import type { CallPlan } from './calls.ts';
import { CALLS_OF_BATCH } from './calls.ts';
import { estimated, figure, unknown, weakest } from './figures.ts';
import { type IndexBuildInput, withIndexBuild } from './index-build.ts';
import type { Probe } from './probe.ts';

export interface TimeInput extends IndexBuildInput {
  /** Objects to copy, those of them to embed, and the texts of these. */
  copied: number;
  embedded: number;
  parts: number;
  /** As the limits of a model count them. */
  limitTokens: number;
  calls: CallPlan;
  probe: Probe | null;
  /** Milliseconds to hash and split one object. */
  prepareMs: number;
  /** Bytes of one payload. */
  payloadBytes: number;
  limit: ModelLimit | undefined;
  ratePerSecond: number | undefined;
}

type Time = ReindexPlan['seconds'];

/**
 * Work of worker and database besides the model, in milliseconds: once, and per object, text, number of a vector, and
 * kilobyte of payload. Measured on two processors with four batches at once: see docs/benchmarks.md.
 */
const WORK = { fixed: 400, object: 0.04, part: 0.02, number: 0.00008, kilobyte: 0.01 } as const;
/** Seconds of the steps around copy and build, and per object of comparing both indexes. */
const REST = { fixed: 0.8, object: 0.00001 } as const;

/** Estimates how long a reindex takes. */
export function timeOf(input: TimeInput): { seconds: Time; indexBuild: ReindexPlan['indexBuild'] } {
  const { copy, build, boundBy, indexBuild } = withIndexBuild(input, copyOf(input));
  const rest = estimated(REST.fixed + input.copied * REST.object, 'usual times of lock, comparison and switch');
  const parts = [copy, build, rest];
  const missing = parts.find(({ value }) => value === null);
  const total = missing
    ? unknown(missing.from)
    : figure(
        parts.reduce((sum, { value }) => sum + (value ?? 0), 0),
        weakest(...parts.map(({ basis }) => basis as Basis)),
        'copy, build and rest, one after the other',
      );
  return { seconds: { total, copy, build, rest, boundBy }, indexBuild };
}

function copyOf(input: TimeInput): Pick<Time, 'copy' | 'boundBy'> {
  const { calls, limit, ratePerSecond, copied, limitTokens } = input;
  const database = workSeconds(input);
  const model = modelSeconds(input);
  const bounds: { boundBy: Time['boundBy']; seconds: number; from: string }[] = [];
  if (ratePerSecond !== undefined) {
    bounds.push({
      boundBy: 'ratePerSecond',
      seconds: copied / ratePerSecond,
      from: `${ratePerSecond} objects per second`,
    });
  }
  const cost = limit && costOf(limit, limitTokens);
  if (limit?.requestsPerMinute !== undefined && cost) {
    const seconds = Math.max(0, (calls.calls * cost.requestMs - cost.burstMs) / 1_000);
    bounds.push({ boundBy: 'requestsPerMinute', seconds, from: `${limit.requestsPerMinute} requests per minute` });
  }
  if (limit?.tokensPerMinute !== undefined && cost) {
    const seconds = Math.max(0, (cost.tokensMs - cost.burstMs) / 1_000);
    bounds.push({ boundBy: 'tokensPerMinute', seconds, from: `${limit.tokensPerMinute} tokens per minute` });
  }
  const slowest = bounds.sort((left, right) => right.seconds - left.seconds)[0];
  if (model === null) {
    const why = 'no call was measured';
    const least = slowest ? `; at least ${Math.round(slowest.seconds)} s by ${slowest.from}` : '';
    return { copy: unknown(why + least), boundBy: slowest?.boundBy ?? 'model' };
  }
  const own = model + database;
  if (slowest && slowest.seconds > own) {
    return { copy: estimated(slowest.seconds, slowest.from), boundBy: slowest.boundBy };
  }
  return {
    copy: estimated(own, describeCopy(input, model, database)),
    boundBy: model > database ? 'model' : 'database',
  };
}

function describeCopy({ probe, calls }: TimeInput, model: number, database: number): string {
  const parts = [`${database.toFixed(1)} s of usual work`];
  if (probe?.callMs && calls.calls > 0) {
    const ms = probe.callMs(calls.charsPerCall).toFixed(0);
    parts.unshift(`${model.toFixed(1)} s for ${calls.calls} calls of ${ms} ms, ${calls.batchesAtOnce} batches at once`);
  }
  return parts.join(' and ');
}

/** Seconds that the batches wait for the model, or that it computes; null if no call was measured. */
function modelSeconds({ calls, probe, embedded }: TimeInput): number | null {
  if (calls.calls === 0 || embedded === 0) return 0;
  if (!probe?.callMs) return null;
  const callMs = probe.callMs(calls.charsPerCall);
  const atOnce = calls.batchesAtOnce * Math.min(CALLS_OF_BATCH, Math.max(1, calls.calls / calls.batches));
  const rounds = Math.ceil(calls.batches / calls.batchesAtOnce) * calls.roundsPerBatch;
  const ideal = rounds * callMs;
  // A model that answers no faster when asked by several is as slow as its calls one after the other.
  const bounded = (calls.calls * callMs) / probe.speedup(atOnce);
  return Math.max(ideal, bounded) / 1_000;
}

function workSeconds(input: TimeInput): number {
  const { copied, embedded, parts, dimensions, payloadBytes, prepareMs } = input;
  if (copied === 0) return 0;
  const ms =
    WORK.fixed +
    copied * (WORK.object + (WORK.kilobyte * payloadBytes) / 1024) +
    parts * (WORK.part + WORK.number * dimensions) +
    embedded * prepareMs;
  return ms / 1_000;
}
