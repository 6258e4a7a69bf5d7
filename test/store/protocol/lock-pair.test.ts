import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { setAlias } from '../../../src/store/aliases.ts';
import { type Db, transaction } from '../../../src/store/database.ts';
import { findIndex, markDeleting } from '../../../src/store/indexes.ts';
import { CONFLICT_RULES } from '../../../src/store/protocol/conflicts.ts';
import { writeCopies } from '../../../src/store/protocol/copy.ts';
import { cutOver } from '../../../src/store/protocol/cut-over.ts';
import { setDraining } from '../../../src/store/protocol/draining.ts';
import { lockPair, releaseLock } from '../../../src/store/protocol/lock-pair.ts';
import { listLocks, markBuilt, renewLock, requireLock } from '../../../src/store/protocol/locks.ts';
import { removeLeftOvers } from '../../../src/store/protocol/origins.ts';
import { collectTombstones } from '../../../src/store/protocol/tombstones.ts';
import { onBothDatabases } from '../../support/databases.ts';
import {
  content,
  createIndex,
  expireLock,
  hashModel,
  indexConfig,
  liveIds,
  lockIn,
  lockRequest,
  reload,
  tombstone,
  uniqueName,
  writeIn,
} from '../builders.ts';

interface Names {
  source: string;
  dest: string;
  other: string;
}

/** For each rule a state that violates it alone, or violates it first. */
const STATES: Record<string, (db: Db, names: Names) => Promise<unknown>> = {
  'source-locked-as-source': (db, { source, other }) => lockIn(db, source, other),
  'dest-locked-as-source': (db, { dest, other }) => lockIn(db, dest, other),
  'source-locked-as-dest': (db, { source, other }) => lockIn(db, other, source),
  'dest-locked-as-dest': (db, { dest, other }) => lockIn(db, other, dest),
  'source-deleting': (db, { source }) => transaction(db, (trx) => markDeleting(trx, source, { force: true })),
  'dest-deleting': (db, { dest }) => transaction(db, (trx) => markDeleting(trx, dest, { force: true })),
  'dest-serves': (db, { dest }) => setAlias(db, uniqueName(), dest),
  'too-many-reindexes': async (db, { other }) => lockIn(db, other, (await createIndex(db)).name),
};

async function names(db: Db): Promise<Names> {
  const [source, dest, other] = [await createIndex(db), await createIndex(db), await createIndex(db)];
  return { source: source.name, dest: dest.name, other: other.name };
}

/** So that the tests of a file do not count each other's locks. */
async function freeAll(db: Db): Promise<void> {
  for (const { lock } of await listLocks(db)) await releaseLock(db, lock);
}

onBothDatabases((database, databaseName) => {
  describe('a conflict of a reindex', () => {
    it('follows exactly the rules of the table, in its order', () => {
      expect(CONFLICT_RULES.map(({ reason }) => reason)).toEqual(Object.keys(STATES));
    });

    it.each(Object.keys(STATES))('%s: nothing is changed', async (reason) => {
      const { db } = database();
      await freeAll(db);
      const pair = await names(db);
      await STATES[reason]?.(db, pair);
      const before = await listLocks(db);
      const outcome = await lockPair(db, lockRequest(pair.source, pair.dest, { maxConcurrentReindexes: 1 }));
      expect(outcome).toMatchObject({ kind: 'conflict', reason, alwaysRefused: /-deleting$|-serves$/.test(reason) });
      expect(await listLocks(db)).toEqual(before);
    });

    it('reports the first reason where there are several', async () => {
      const { db } = database();
      const reasons = Object.keys(STATES);
      // A lock of the pair itself is two states at once.
      for (const [first, second] of [
        ['source-locked-as-source', 'dest-locked-as-dest'],
        ['dest-locked-as-source', 'source-locked-as-dest'],
        ['source-deleting', 'dest-deleting'],
        ['dest-locked-as-dest', 'source-deleting'],
        ['source-deleting', 'too-many-reindexes'],
      ] as const) {
        await freeAll(db);
        const pair = await names(db);
        await STATES[second]?.(db, pair);
        await STATES[first]?.(db, { ...pair, other: (await createIndex(db)).name });
        expect(reasons.indexOf(first)).toBeLessThan(reasons.indexOf(second));
        const outcome = await lockPair(db, lockRequest(pair.source, pair.dest, { maxConcurrentReindexes: 1 }));
        expect(outcome).toMatchObject({ reason: first });
      }
    });

    it('does not count a reindex that is complete and waits for a decision', async () => {
      const { db } = database();
      await freeAll(db);
      const { source, dest, other } = await names(db);
      const { lock } = await lockIn(db, other, (await createIndex(db)).name);
      const request = lockRequest(source, dest, { maxConcurrentReindexes: 1 });
      expect(await lockPair(db, request)).toMatchObject({ reason: 'too-many-reindexes' });
      await markBuilt(db, lock);
      expect(await lockPair(db, request)).toMatchObject({ kind: 'locked' });
    });

    it('does not create the destination', async () => {
      const { db } = database();
      await freeAll(db);
      const { source, other } = await names(db);
      await lockIn(db, source, other);
      const dest = uniqueName();
      const outcome = await lockPair(db, lockRequest(source, dest, { destModel: hashModel(4) as never }));
      expect(outcome).toMatchObject({ kind: 'conflict' });
      expect(await findIndex(db, dest)).toBeUndefined();
    });
  });

  describe('the destination', () => {
    it('is created with the given model and the other settings of the source', async () => {
      const { db } = database();
      const source = await createIndex(db, { metric: 'l2', average: true });
      const dest = uniqueName();
      await lockIn(db, source.name, dest, { destModel: indexConfig({ dimensions: 5 }).model });
      expect(await findIndex(db, dest)).toMatchObject({ metric: 'l2', average: true, model: { dimensions: 5 } });
    });

    it.each([
      ['the source itself', async (_db: Db, source: string) => ({ dest: source }), 'InvalidInput'],
      ['neither there nor described', async () => ({ dest: uniqueName() }), 'InvalidInput'],
      [
        'there with another model',
        async (db: Db) => ({ dest: (await createIndex(db)).name, destModel: hashModel(9) }),
        'IndexExists',
      ],
      [
        'of another versioning',
        async (db: Db) => ({ dest: (await createIndex(db, { versioning: 'external' })).name }),
        'InvalidInput',
      ],
    ])('%s is refused', async (_what, make, type) => {
      const { db } = database();
      const { name: source } = await createIndex(db);
      const { dest, ...over } = await make(db, source);
      await expect(lockPair(db, lockRequest(source, dest, over as never))).rejects.toMatchObject({ type });
    });

    it('inherits what the source remembers of deletions whose tombstones are gone', async () => {
      const { db } = database();
      const [source, dest] = [await createIndex(db), await createIndex(db)];
      await writeIn(db, source, [tombstone('a', 7)]);
      await collectTombstones(db, source.no, { retentionSeconds: -1, limit: 10 });
      await lockIn(db, source.name, dest.name);
      expect((await reload(db, dest.no)).removedVersion).toBe(7);
    });
  });

  describe('the alias to switch', () => {
    it('is the alias that names the source, or the given alias, or none', async () => {
      const { db } = database();
      const { source, dest } = await names(db);
      const alias = uniqueName('alias');
      await setAlias(db, alias, source);
      for (const [name, given, expected] of [
        [alias, undefined, alias],
        [source, alias, alias],
        [source, undefined, null],
        [source, 'new-alias', 'new-alias'],
      ] as const) {
        const locked = await lockIn(db, name, dest, given === undefined ? {} : { alias: given });
        expect(locked).toMatchObject({ alias: expected, source });
        await releaseLock(db, locked.lock);
      }
    });

    it('must neither point elsewhere nor be the name of an index', async () => {
      const { db } = database();
      const { source, dest, other } = await names(db);
      const alias = uniqueName('alias');
      await setAlias(db, alias, other);
      const locking = (name: string) => lockPair(db, lockRequest(source, dest, { alias: name }));
      await expect(locking(alias)).rejects.toMatchObject({ type: 'InvalidInput' });
      await expect(locking(other)).rejects.toMatchObject({ type: 'NameTaken' });
    });
  });

  describe('a lock', () => {
    it('stays the same and stops draining when it is requested again with its uuid', async () => {
      const { db } = database();
      await freeAll(db);
      const { source, dest } = await names(db);
      const request = lockRequest(source, dest);
      await lockPair(db, request);
      await setDraining(db, request.lock, 60);
      expect(await lockPair(db, { ...request, lockSeconds: 600 })).toMatchObject({ kind: 'locked' });
      const locks = await listLocks(db);
      expect(locks).toMatchObject([{ lock: request.lock, draining: false }]);
      expect(Number(locks[0]?.lockExpireTime) - Date.now()).toBeGreaterThan(500_000);
    });

    it('is taken over after it expires, crosswise too, or immediately by the same task', async () => {
      const { db } = database();
      await freeAll(db);
      const { source, dest, other } = await names(db);
      const first = await lockIn(db, source, dest);
      await expireLock(db, first.lock);
      const second = await lockIn(db, dest, source);
      const third = await lockIn(db, source, dest, { taskId: second.taskId });
      const fourth = await lockIn(db, source, other, { taskId: second.taskId });
      expect((await listLocks(db)).map(({ lock }) => lock)).toEqual([fourth.lock]);
      for (const gone of [first, second, third]) {
        await expect(requireLock(db, gone.lock)).rejects.toMatchObject({ type: 'LockLost' });
      }
    });

    it('can be renewed after it expires until somebody takes it over, and blocks nobody then', async () => {
      const { db } = database();
      await freeAll(db);
      const { source, dest, other } = await names(db);
      const { lock } = await lockIn(db, source, dest);
      await expireLock(db, lock);
      expect(await listLocks(db)).toEqual([]);
      expect(Number(await renewLock(db, lock, 60))).toBeGreaterThan(Date.now());
      await expireLock(db, lock);
      const next = await lockIn(db, other, dest, { maxConcurrentReindexes: 1 });
      await expect(renewLock(db, lock, 60)).rejects.toMatchObject({ type: 'LockLost' });
      await releaseLock(db, next.lock);
    });

    it('cannot be renewed after a user has written to its destination, and that write stays', async () => {
      const { db } = database();
      const [source, dest] = [await createIndex(db), await createIndex(db)];
      const { lock } = await lockIn(db, source.name, dest.name);
      await expect(writeIn(db, dest, [content('a', 1)])).rejects.toMatchObject({ type: 'IndexLocked' });
      await expireLock(db, lock);
      await writeIn(db, dest, [content('a', 1)]);
      await expect(renewLock(db, lock, 60)).rejects.toMatchObject({ type: 'LockLost' });
      const pair = { sourceNo: source.no, destNo: dest.no };
      const removing = removeLeftOvers(db, lock, pair, { own: true, after: null, limit: 10 });
      await expect(removing).rejects.toMatchObject({ type: 'LockLost' });
      expect(await liveIds(db, dest.no)).toEqual(['a']);
    });

    it('can be renewed after a user has written to its source, and these changes are reconciled', async () => {
      const { db } = database();
      const [source, dest] = [await createIndex(db), await createIndex(db)];
      const { lock } = await lockIn(db, source.name, dest.name);
      await expireLock(db, lock);
      await writeIn(db, source, [content('a', 1)]);
      expect(Number(await renewLock(db, lock, 60))).toBeGreaterThan(Date.now());
      await expect(writeIn(db, dest, [content('a', 2)])).rejects.toMatchObject({ type: 'IndexLocked' });
    });

    it('fences off its previous owner at every step after a takeover', async () => {
      const { db } = database();
      const [source, dest] = [await createIndex(db), await createIndex(db)];
      await writeIn(db, source, [content('a', 1)]);
      const zombie = await lockIn(db, source.name, dest.name);
      await expireLock(db, zombie.lock);
      await lockIn(db, source.name, dest.name);
      const pair = { sourceNo: source.no, destNo: dest.no };
      const { lock, mark } = zombie;
      const steps = [
        () => writeCopies(db, lock, dest.no, [content('a', 1)]),
        () => setDraining(db, lock, 60),
        () => cutOver(db, { lock, ...pair, mark, alias: null, mirror: null }),
        () => renewLock(db, lock, 60),
        () => markBuilt(db, lock),
        () => removeLeftOvers(db, lock, pair, { own: false, after: null, limit: 10 }),
        () => requireLock(db, lock),
      ];
      for (const step of steps) await expect(step()).rejects.toMatchObject({ type: 'LockLost' });
      await releaseLock(db, lock);
      expect((await listLocks(db)).filter(({ sourceNo }) => sourceNo === source.no)).toHaveLength(1);
    });
  });

  describe.skipIf(databaseName === 'pglite')('lock requests at the same instant', () => {
    const outcomes = async (db: Db, pairs: (readonly [string, string])[], most = 1_000) => {
      const asked = pairs.map(([source, dest]) =>
        lockPair(db, lockRequest(source, dest, { maxConcurrentReindexes: most, lock: randomUUID() })),
      );
      return (await Promise.all(asked))
        .map((outcome) => (outcome.kind === 'locked' ? 'locked' : outcome.reason))
        .sort();
    };

    it('lock one pair once', async () => {
      const { db } = database();
      const { source, dest } = await names(db);
      const got = await outcomes(
        db,
        Array.from({ length: 6 }, () => [source, dest] as const),
      );
      expect(got).toEqual(['locked', ...Array(5).fill('source-locked-as-source')]);
    });

    it('lock only one of a pair and the same pair crossed', async () => {
      const { db } = database();
      for (let round = 0; round < 5; round++) {
        const { source, dest } = await names(db);
        expect(
          await outcomes(db, [
            [source, dest],
            [dest, source],
          ]),
        ).toEqual(['dest-locked-as-source', 'locked']);
      }
    });

    it('leave no index as the source of one lock and the destination of another', async () => {
      const { db } = database();
      for (let round = 0; round < 5; round++) {
        const { source, dest, other } = await names(db);
        const got = await outcomes(db, [
          [source, dest],
          [dest, other],
        ]);
        expect(got.filter((outcome) => outcome === 'locked')).toHaveLength(1);
      }
    });

    it('lock no more pairs than reindexes may run', async () => {
      const { db } = database();
      await freeAll(db);
      const pairs = await Promise.all(Array.from({ length: 5 }, () => names(db)));
      const got = await outcomes(
        db,
        pairs.map(({ source, dest }) => [source, dest] as const),
        2,
      );
      expect(got).toEqual(['locked', 'locked', ...Array(3).fill('too-many-reindexes')]);
    });
  });
});
