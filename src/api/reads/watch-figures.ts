import { bucketOf } from '../../metrics/latency-buckets.ts';
import type { Db } from '../../store/database.ts';
import { addWatchCounts, WATCH_COUNTS } from '../../store/watch-counts.ts';
import type { ApiLog } from '../problems.ts';
import { SumBatch } from './sum-batch.ts';

/** Counts the searches of this process that the index of a watch answers. */
export class WatchFigures {
  readonly #batch: SumBatch;

  constructor({ db, log }: { db: Db; log: ApiLog }) {
    const store = (lock: string, counts: ReadonlyMap<string, number>) => addWatchCounts(db, lock, counts);
    this.#batch = new SumBatch({ what: 'a watch', store, log });
  }

  answered(lock: string, { ms, isEmpty }: { ms: number; isEmpty: boolean }): void {
    this.#batch.add(lock, WATCH_COUNTS.answered, 1);
    this.#batch.add(lock, `${WATCH_COUNTS.latency}${bucketOf(ms)}`, 1);
    if (isEmpty) this.#batch.add(lock, WATCH_COUNTS.empty, 1);
  }

  failed(lock: string): void {
    this.#batch.add(lock, WATCH_COUNTS.failed, 1);
  }

  flush(): Promise<void> {
    return this.#batch.flush();
  }
}
