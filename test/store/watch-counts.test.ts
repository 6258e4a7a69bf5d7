import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { setAlias } from '../../src/store/aliases.ts';
import type { Db } from '../../src/store/database.ts';
import { cutOver } from '../../src/store/protocol/cut-over.ts';
import { releaseLock } from '../../src/store/protocol/lock-pair.ts';
import { resolveWithReads } from '../../src/store/protocol/reads.ts';
import {
  addWatchCounts,
  beginWatch,
  dropEndedWatches,
  endWatch,
  getWatchCounts,
} from '../../src/store/watch-counts.ts';
import { onBothDatabases } from '../support/databases.ts';
import { createIndex, expireLock, lockIn, uniqueName } from './builders.ts';

const counts = (answered: number, failed = 0) =>
  new Map([
    ['answered', answered],
    ['failed', failed],
  ]);

/** An alias whose index is being rebuilt, with a watch. */
async function givenWatch(db: Db) {
  const [source, dest] = [await createIndex(db), await createIndex(db)];
  const alias = uniqueName('alias');
  await setAlias(db, alias, source.name);
  const { lock, taskId } = await lockIn(db, alias, dest.name);
  await beginWatch(db, lock, null);
  return { source, dest, alias, lock, taskId };
}

/** Moves what was counted to the past. */
const age = (db: Db, lock: string, minutes: number) =>
  sql`update reembed.watch_counts set minute = minute - make_interval(mins => ${minutes}) where lock = ${lock}::uuid`.execute(
    db,
  );

onBothDatabases((database) => {
  it('searches of the source are watched by any name until its lock ends, and those of the destination are not', async () => {
    const { db } = database();
    const { source, dest, alias, lock } = await givenWatch(db);
    for (const name of [alias, source.name]) expect(await resolveWithReads(db, name)).toMatchObject({ watch: lock });
    expect((await resolveWithReads(db, dest.name)).watch).toBeUndefined();
    await expireLock(db, lock);
    expect((await resolveWithReads(db, alias)).watch).toBeUndefined();
    await releaseLock(db, lock);
    expect((await resolveWithReads(db, alias)).watch).toBeUndefined();
  });

  it('the cut-over begins the watch of the new index, whose baseline is what the old one had before', async () => {
    const { db } = database();
    const { source, dest, alias, lock, taskId } = await givenWatch(db);
    await addWatchCounts(db, lock, counts(5));
    await age(db, lock, 61);
    await addWatchCounts(db, lock, counts(7, 1));
    const mirror = { lock: randomUUID(), taskId: `${taskId}/retire/1`, lockSeconds: 60, watch: true };
    const pair = { sourceNo: source.no, destNo: dest.no };
    expect(await cutOver(db, { lock, ...pair, mark: 0, alias, mirror })).toMatchObject({ kind: 'done' });
    expect(await resolveWithReads(db, alias)).toMatchObject({ index: { no: dest.no }, watch: mirror.lock });
    expect(await getWatchCounts(db, mirror.lock, 1)).toEqual({ now: new Map(), since: null, before: counts(7, 1) });
    await addWatchCounts(db, mirror.lock, counts(2));
    expect(await getWatchCounts(db, mirror.lock, 1)).toMatchObject({ now: counts(2), before: counts(7, 1) });

    await endWatch(db, mirror.lock);
    expect((await resolveWithReads(db, alias)).watch).toBeUndefined();
    await addWatchCounts(db, mirror.lock, counts(1));
    expect(await getWatchCounts(db, mirror.lock, 1)).toEqual({ now: new Map(), since: null, before: new Map() });
  });

  it('processes add to the same sums', async () => {
    const { db } = database();
    const { lock } = await givenWatch(db);
    await Promise.all([1, 2, 3].map(() => addWatchCounts(db, lock, counts(10, 1))));
    const { rows } = await sql<{ value: number }>`
      select sum(value) as value from reembed.watch_counts where lock = ${lock}::uuid`.execute(db);
    expect(rows[0]?.value).toBe(33);
  });

  it('the newest minutes are judged, and as many more as a decision needs', async () => {
    const { db } = database();
    const { lock } = await givenWatch(db);
    const judged = async (minSearches: number) => (await getWatchCounts(db, lock, minSearches)).now.get('answered');
    await addWatchCounts(db, lock, counts(100));
    await age(db, lock, 10);
    await addWatchCounts(db, lock, counts(30));
    await age(db, lock, 10);
    await addWatchCounts(db, lock, counts(3));
    expect(await judged(1)).toBe(3);
    expect(await judged(3)).toBe(3);
    expect(await judged(4)).toBe(33);
    expect(await judged(33)).toBe(33);
    expect(await judged(34)).toBe(133);
    expect(await judged(1_000)).toBe(133);
  });

  it('minutes older than a day are dropped when newer ones are counted', async () => {
    const { db } = database();
    const { lock } = await givenWatch(db);
    await addWatchCounts(db, lock, counts(9));
    await age(db, lock, 25 * 60);
    await addWatchCounts(db, lock, counts(1));
    expect((await getWatchCounts(db, lock, 1_000)).now).toEqual(counts(1));
  });

  it('maintenance drops watches whose lock is gone, and keeps a baseline that is in use', async () => {
    const { db } = database();
    const [gone, kept] = [await givenWatch(db), await givenWatch(db)];
    await releaseLock(db, gone.lock);
    const baseline = randomUUID();
    await beginWatch(db, baseline, null);
    await sql`update reembed.watches set before_lock = ${baseline}::uuid where lock = ${kept.lock}::uuid`.execute(db);
    const fresh = randomUUID();
    await sql`update reembed.watches set create_time = now() - interval '25 hours'`.execute(db);
    await beginWatch(db, fresh, null);
    await dropEndedWatches(db);
    const { rows } = await sql<{ lock: string }>`select lock from reembed.watches`.execute(db);
    const left = rows.map(({ lock }) => lock);
    expect(left).toEqual(expect.arrayContaining([kept.lock, baseline, fresh]));
    expect(left).not.toContain(gone.lock);
  });
});
