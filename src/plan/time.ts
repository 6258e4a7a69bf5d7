import { costOf, type ModelLimit } from '../contract/model-limits.ts';
import type { Basis, ReindexPlan } from '../contract/plan.ts';
import type { CallPlan } from './calls.ts';
import { CALLS_OF_BATCH } from './calls.ts';
import { estimated, exact, figure, unknown, weakest } from './figures.ts';
import type { Probe } from './probe.ts';

export interface TimeInput {
  /** Objects to copy, those of them to embed, and the texts of these. */
  copied: number;
  embedded: number;
  parts: number;
  /** Vectors of the complete destination. */
  destVectors: number;
  dimensions: number;
  /** As the limits of a model count them. */
  limitTokens: number;
  calls: CallPlan;
  probe: Probe | null;
  /** Milliseconds to hash and split one object. */
  prepareMs: number;
  /** Bytes of one payload. */
  payloadBytes: number;
  /** Time of one distance on the database server. */
  distanceMicroseconds: number;
  limit: ModelLimit | undefined;
  ratePerSecond: number | undefined;
  hnsw: ReindexPlan['hnsw'];
  indexBuild: 'after' | 'during';
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
  const after = { ...copyOf(input), build: buildOf(input) };
  const indexBuild = indexBuildOf(input, after);
  const { copy, build, boundBy } = input.indexBuild === 'after' ? after : withInserts(after, indexBuild.inserts);
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

type CopyAndBuild = Pick<Time, 'copy' | 'build' | 'boundBy'>;

/** Compares a build after the copy with inserts into an index that is there first, which wait for nothing but the model. */
function indexBuildOf(input: TimeInput, { copy, build }: CopyAndBuild): ReindexPlan['indexBuild'] {
  const { hnsw, indexBuild: asked } = input;
  const inserts = insertsOf(input);
  if (hnsw.kind === 'none') return { asked, faster: null, inserts, why: 'there is no HNSW index' };
  if (copy.value === null || build.value === null || inserts.value === null) {
    return { asked, faster: null, inserts, why: `the time of the copy is unknown: ${copy.from}` };
  }
  const faster = Math.max(copy.value, inserts.value) < copy.value + build.value ? 'during' : 'after';
  const times = `the copy takes ${text(copy.value)}, the build after it ${text(build.value)}, all inserts ${text(inserts.value)}`;
  const slower =
    inserts.value <= copy.value ? 'the inserts fit into the time of the copy' : 'the inserts take longer than the copy';
  return { asked, faster, inserts, why: `${slower}: ${times}` };
}

const text = (seconds: number) => `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;

/** Inserts continue while batches wait for the model. */
function withInserts({ copy, boundBy }: CopyAndBuild, inserts: Time['build']): CopyAndBuild {
  const build = exact(0, 'the HNSW index grows with the copy');
  if (copy.value === null || inserts.value === null || inserts.value <= copy.value) return { copy, boundBy, build };
  return { copy: estimated(inserts.value, inserts.from), boundBy: 'database', build };
}

function insertsOf(input: TimeInput): Time['build'] {
  const { hnsw } = input;
  if (hnsw.kind === 'none') return exact(0, hnsw.memory.from);
  // Their memory is the cache of the server, not that of a build.
  const build = buildOf({ ...input, hnsw: { ...hnsw, fits: true } });
  if (build.value === null || build.value === 0) return build;
  return estimated(BUILD.insert * build.value, `${BUILD.insert} times as long as a build: ${build.from}`);
}

/**
 * Time to place a vector in the HNSW index, in milliseconds, over the logarithm of their number: it grows with the
 * dimensions, and with the memory that no longer fits into the caches of the processor. Measured like `WORK`, where a
 * distance takes `distance` microseconds, for texts and two processes that build; random vectors take twice as long.
 */
const BUILD = {
  place: { fixed: 0.0043, number: 0.0000135 },
  distance: { fixed: 0.08, number: 0.0002 },
  cache: { bytes: 2 * 1024 * 1024, perNumber: 0.0006, max: 0.2 },
  bitsPerNumber: 40,
  /** Width of the search for neighbors with which it was measured. */
  usualWidth: 64,
  /** Factor without enough memory: 3 to 10. */
  onDisk: 5,
  seconds: 0.1,
  /** Factor of inserts into an index that is there, over two connections. */
  insert: 5,
} as const;

function buildOf({ destVectors, distanceMicroseconds, dimensions: stored, hnsw }: TimeInput): Time['build'] {
  if (hnsw.kind === 'none') return exact(0, hnsw.memory.from);
  // A bit costs about a fortieth of a number. The distance was measured with all of them.
  const dimensions = hnsw.precision === 'bit' ? hnsw.dimensions / BUILD.bitsPerNumber : hnsw.dimensions;
  if (destVectors < 2) return exact(0, 'there is nothing to index');
  const { place, distance, cache } = BUILD;
  const doublings = Math.max(0, Math.log2((hnsw.memory.value ?? 0) / cache.bytes));
  const misses = 1 + Math.min(cache.max, cache.perNumber * dimensions) * doublings;
  const speed = distanceMicroseconds / (distance.fixed + distance.number * stored);
  const width = hnsw.efConstruction / BUILD.usualWidth;
  const ms = width * destVectors * Math.log2(destVectors) * (place.fixed + place.number * dimensions) * misses * speed;
  const factor = hnsw.fits ? 1 : BUILD.onDisk;
  const where = hnsw.fits ? '' : '; the graph does not fit into the memory of the build';
  const from = `${destVectors} vectors, and ${distanceMicroseconds.toFixed(2)} µs for one distance on the database server`;
  return estimated(BUILD.seconds + (ms * factor) / 1_000, from + where);
}
