import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, transaction } from '../../../src/store/database.ts';
import { applyWrites } from '../../../src/store/protocol/apply.ts';
import { markChanges, readChanged } from '../../../src/store/protocol/copy.ts';
import { cutOver } from '../../../src/store/protocol/cut-over.ts';
import { setDraining } from '../../../src/store/protocol/draining.ts';
import { holdGateShared, holdGatesExclusive } from '../../../src/store/protocol/gate.ts';
import { lockPair } from '../../../src/store/protocol/lock-pair.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { content, createIndex, lockIn, lockRequest, rowsOf, tombstone, write, writeIn } from '../builders.ts';
import { isPending, openTransaction, untilWaiting } from '../concurrency.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openPostgresDatabase();
});
afterAll(() => database.close());

async function writeUnderWay(index: Awaited<ReturnType<typeof createIndex>>) {
  return openTransaction(database.db, async (trx) => {
    await holdGateShared(trx, index.no);
    await applyWrites(trx, index, [content('late', 1)]);
  });
}

describe('a write in progress', () => {
  it('blocks a mark of changes, which then includes it', async () => {
    const { db } = database;
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    const writing = await writeUnderWay(source);
    // A change of another index has a higher number and is already committed.
    await writeIn(db, dest, [content('other', 2)]);
    const marking = markChanges(db, source.no);
    await untilWaiting(db, 1);
    expect(await isPending(marking)).toBe(true);
    await writing.commit();
    const pair = { sourceNo: source.no, destNo: dest.no };
    expect((await readChanged(db, pair, { after: 0, until: await marking }, 9)).objects).toMatchObject([
      { id: 'late' },
    ]);
  });

  it('blocks a reindex lock, so the copy sees it', async () => {
    const { db } = database;
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    const writing = await writeUnderWay(source);
    const locking = lockPair(db, lockRequest(source.name, dest.name));
    await untilWaiting(db, 1);
    expect(await isPending(locking)).toBe(true);
    await writing.commit();
    expect(await locking).toMatchObject({ kind: 'locked' });
    expect(await rowsOf(db, source.no)).toHaveLength(1);
  });

  it('blocks draining and the cut-over, which then finds it missing in the destination', async () => {
    const { db } = database;
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    const { lock, mark } = await lockIn(db, source.name, dest.name);
    const writing = await writeUnderWay(source);
    const draining = setDraining(db, lock, 60);
    await untilWaiting(db, 1);
    expect(await isPending(draining)).toBe(true);
    const step = { lock, sourceNo: source.no, destNo: dest.no, mark, alias: null, mirror: null };
    const switching = cutOver(db, step);
    await untilWaiting(db, 2);
    await writing.commit();
    await draining;
    expect(await switching).toEqual({ kind: 'behind', objects: 1 });
  });
});

describe('the gate', () => {
  it('is fair: writers that arrive after a waiting cut-over queue behind it', async () => {
    const { db } = database;
    const index = await createIndex(db);
    const writing = await writeUnderWay(index);
    const order: string[] = [];
    const closing = transaction(db, (trx) => holdGatesExclusive(trx, index.no)).then(() => order.push('closed'));
    await untilWaiting(db, 1);
    const next = write(db, index, [content('next', 2)]).then(() => order.push('written'));
    await untilWaiting(db, 2);
    await writing.commit();
    await Promise.all([closing, next]);
    expect(order).toEqual(['closed', 'written']);
  });

  it('admits writers together and does not affect other indexes', async () => {
    const { db } = database;
    const [index, other] = [await createIndex(db), await createIndex(db)];
    const writing = await writeUnderWay(index);
    await writeIn(db, index, [content('beside', 2)]);
    await transaction(db, (trx) => holdGatesExclusive(trx, other.no));
    await writing.rollback();
    expect(await rowsOf(db, index.no)).toMatchObject([{ id: 'beside' }]);
  });

  it('does not deadlock when two reindexes lock the same pair crosswise', async () => {
    const { db } = database;
    const [a, b, c] = [await createIndex(db), await createIndex(db), await createIndex(db)];
    const pairs = [
      [a, b],
      [b, a],
      [b, c],
      [c, b],
      [a, c],
      [c, a],
    ] as const;
    // Not through `transaction`, which would run a deadlocked one again.
    const close = (one: typeof a, two: typeof a) =>
      db.transaction().execute((trx) => holdGatesExclusive(trx, one.no, two.no));
    await Promise.all(Array.from({ length: 60 }, (_, at) => close(...(pairs[at % pairs.length] as (typeof pairs)[0]))));
  });

  it('works on a server with serializable transactions by default', async () => {
    const { db, url } = database;
    await sql`
      do $$ begin
        execute format('alter database %I set default_transaction_isolation = %L', current_database(), 'serializable');
      end $$`.execute(db);
    const strict = openDatabase({ url });
    const index = await createIndex(strict);
    const [source, dest] = [await createIndex(strict), await createIndex(strict)];
    const { lock, mark } = await lockIn(strict, source.name, dest.name);
    const writing = await openTransaction(db, async (trx) => {
      await holdGateShared(trx, source.no);
      await applyWrites(trx, source, [content('late', 1)]);
    });
    const step = { lock, sourceNo: source.no, destNo: dest.no, mark, alias: null, mirror: null };
    const switching = cutOver(strict, step);
    await untilWaiting(db, 1);
    await writing.commit();
    expect(await switching).toEqual({ kind: 'behind', objects: 1 });
    await writeIn(strict, index, [content('a', 1)]);
    await sql`
      do $$ begin execute format('alter database %I reset default_transaction_isolation', current_database()); end $$`.execute(
      db,
    );
    await strict.destroy();
  });
});

describe('concurrent batches', () => {
  it('wait for each other when they have the same objects in opposite order, and the higher versions win', async () => {
    const { db } = database;
    const index = await createIndex(db);
    const ids = Array.from({ length: 40 }, (_, at) => `o${at}`);
    const batches = Array.from({ length: 10 }, (_, at) => {
      const objects = ids.map((id) => content(id, at + 1));
      return at % 2 ? objects : objects.reverse();
    });
    await Promise.all(batches.map((batch) => db.transaction().execute((trx) => applyWrites(trx, index, batch))));
    expect(new Set((await rowsOf(db, index.no)).map(({ version }) => version))).toEqual(new Set([10]));
  });

  it('run again when the database breaks up their deadlock', async () => {
    const { db } = database;
    const index = await createIndex(db);
    let tries = 0;
    let bothIn = 0;
    const arrived: (() => void)[] = [];
    const meet = () =>
      new Promise<void>((resolve) => {
        arrived.push(resolve);
        if (++bothIn >= 2) for (const go of arrived) go();
      });
    const twoBatches = (first: string, second: string, version: number) =>
      transaction(db, async (trx) => {
        tries++;
        await applyWrites(trx, index, [content(first, version)]);
        await meet();
        await applyWrites(trx, index, [content(second, version)]);
      });
    await Promise.all([twoBatches('a', 'b', 1), twoBatches('b', 'a', 2)]);
    expect(tries).toBe(3);
    expect((await rowsOf(db, index.no)).map(({ version }) => version)).toEqual([2, 2]);
  });

  it('all succeed when they delete originals and write objects derived from the originals of others', async () => {
    const { db } = database;
    const index = await createIndex(db);
    const mixed = (at: number) => [
      tombstone(`x${at}`, at + 1),
      ...[1, 2, 3].map((next) => content(`d${at}-${next}`, at + 1, { originalId: `y${(at + next) % 6}` })),
      ...[1, 2, 3].map((next) => tombstone(`y${(at + next + 3) % 6}`, at + 1)),
    ];
    await Promise.all(Array.from({ length: 6 }, (_, at) => writeIn(db, index, mixed(at))));
    expect((await rowsOf(db, index.no)).filter(({ id }) => id.startsWith('x'))).toHaveLength(6);
  });
});
