import type { ReadSide, ReadsReport } from '../../contract/reads.ts';
import { bucketOf, latenciesIn, quantileOf } from '../../metrics/latency-buckets.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Db } from '../../store/database.ts';
import { addReadCounts, type ReadCounts } from '../../store/read-counts.ts';
import type { ApiLog } from '../problems.ts';
import { SumBatch } from './sum-batch.ts';

type Kind = 'shadow' | 'canary';
type Side = 'serving' | 'other';
/** What a figure is about. */
export type Part = readonly [kind: Kind, side: Side];

/**
 * Counts the reads of this process, and adds them to the sums in the database every two seconds. The names of the sums
 * are few: two kinds, two sides, and the buckets of latencies.
 */
export class Figures {
  readonly #metrics: Metrics | undefined;
  readonly #batch: SumBatch;

  constructor({ db, metrics, log }: { db: Db; metrics?: Metrics | undefined; log: ApiLog }) {
    this.#metrics = metrics;
    const store = (lock: string, counts: ReadonlyMap<string, number>) => addReadCounts(db, lock, counts);
    this.#batch = new SumBatch({ what: 'shadow and canary reads', store, log });
  }

  answered(lock: string, [kind, side]: Part, { ms, isEmpty }: { ms: number; isEmpty: boolean }): void {
    const name = `${kind}.${side}`;
    this.#add(lock, `${name}.searches`, 1);
    this.#add(lock, `${name}.ms.${bucketOf(ms)}`, 1);
    if (isEmpty) this.#add(lock, `${name}.empty`, 1);
    this.#metrics?.readSeconds.observe({ kind, side }, ms / 1_000);
    if (side === 'other') this.#metrics?.reads.inc({ kind, outcome: 'answered' });
  }

  failed(lock: string, [kind, side]: Part): void {
    this.#add(lock, `${kind}.${side}.failed`, 1);
    if (side === 'other') this.#metrics?.reads.inc({ kind, outcome: 'failed' });
  }

  overlapped(lock: string, overlap: number): void {
    this.#add(lock, 'shadow.overlap', overlap);
    this.#metrics?.shadowOverlap.observe(overlap);
  }

  dropped(lock: string): void {
    this.#add(lock, 'shadow.dropped', 1);
    this.#metrics?.reads.inc({ kind: 'shadow', outcome: 'dropped' });
  }

  skipped(lock: string, [kind]: Part): void {
    this.#add(lock, 'skipped', 1);
    this.#metrics?.reads.inc({ kind, outcome: 'skipped' });
  }

  #add(lock: string, name: string, value: number): void {
    this.#batch.add(lock, name, value);
  }

  /** Adds everything counted so far to the sums. What could not be added is added with the next figures. */
  flush(): Promise<void> {
    return this.#batch.flush();
  }
}

/** Makes the report of a task from the sums of all processes. */
export function toReport(taskId: string, reads: ReadCounts): ReadsReport {
  const { alias, counts, shadow, canary, since, until } = reads;
  const count = (name: string) => counts.get(name) ?? 0;
  const sideOf = (kind: Kind, side: Side): ReadSide => {
    const name = `${kind}.${side}`;
    const latencies = latenciesIn(counts, `${name}.ms.`);
    return {
      index: reads[side],
      searches: count(`${name}.searches`),
      failed: count(`${name}.failed`),
      empty: count(`${name}.empty`),
      p50Ms: quantileOf(latencies, 0.5),
      p95Ms: quantileOf(latencies, 0.95),
    };
  };
  const sidesOf = (kind: Kind) => ({ serving: sideOf(kind, 'serving'), other: sideOf(kind, 'other') });
  const compared = count('shadow.other.searches');
  const overlap = compared === 0 ? null : Math.round((1_000 * count('shadow.overlap')) / compared) / 1_000;
  return {
    taskId,
    alias,
    since: since.toISOString(),
    until: until?.toISOString() ?? null,
    shadow: { share: shadow, overlap, ...sidesOf('shadow'), dropped: count('shadow.dropped') },
    canary: { share: canary, ...sidesOf('canary') },
    skipped: count('skipped'),
  };
}
