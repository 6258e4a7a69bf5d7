import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ReembedError } from '../../src/contract/errors.ts';
import { deleteAlias, listAliases, setAlias } from '../../src/store/aliases.ts';
import type { Db } from '../../src/store/database.ts';
import { markChanges, writeCopies } from '../../src/store/protocol/copy.ts';
import { cutOver } from '../../src/store/protocol/cut-over.ts';
import { releaseLock } from '../../src/store/protocol/lock-pair.ts';
import { renewLock } from '../../src/store/protocol/locks.ts';
import { collectTombstones } from '../../src/store/protocol/tombstones.ts';
import { onBothDatabases } from '../support/databases.ts';
import {
  content,
  createIndex,
  expireLock,
  failure,
  liveIds,
  lockIn,
  tombstone,
  uniqueName,
  write,
  writeIn,
} from './builders.ts';

/** An alias that a reindex has switched from blue to green, and the mirror that keeps blue current since. */
async function givenSwitched(db: Db) {
  const [blue, green] = [await createIndex(db), await createIndex(db)];
  const alias = uniqueName('alias');
  await setAlias(db, alias, blue.name);
  const { lock, taskId, mark } = await lockIn(db, alias, green.name);
  const mirror = { lock: randomUUID(), taskId, lockSeconds: 60 };
  await cutOver(db, { lock, sourceNo: blue.no, destNo: green.no, mark, alias, mirror });
  return { blue, green, alias, mirror };
}

onBothDatabases((database, name) => {
  it('an alias can be moved, and a write embedded for the old index is answered with "moved"', async () => {
    const { db } = database();
    const [first, second] = [await createIndex(db), await createIndex(db)];
    const alias = uniqueName('alias');
    await setAlias(db, alias, first.name);
    await setAlias(db, alias, second.name);
    await setAlias(db, alias, second.name);
    expect(await listAliases(db)).toContainEqual({ alias, index: second.name });
    expect(await write(db, first, [content('a', 1)], { target: alias })).toEqual({ kind: 'moved' });
  });

  it('an alias is not touched by hand while its index is being rebuilt', async () => {
    const { db } = database();
    const [source, dest, other] = [await createIndex(db), await createIndex(db), await createIndex(db)];
    const alias = uniqueName('alias');
    await setAlias(db, alias, source.name);
    await lockIn(db, alias, dest.name);
    await expect(setAlias(db, alias, other.name)).rejects.toMatchObject({ type: 'IndexLocked' });
    await expect(setAlias(db, uniqueName('alias'), dest.name)).rejects.toMatchObject({ type: 'IndexLocked' });
    await expect(deleteAlias(db, alias)).rejects.toMatchObject({ type: 'IndexLocked' });
  });

  it('an alias that does not exist cannot be deleted, and an alias cannot point to a missing index', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const alias = uniqueName('alias');
    await setAlias(db, alias, index.name);
    await deleteAlias(db, alias);
    await expect(deleteAlias(db, alias)).rejects.toMatchObject({ type: 'AliasNotFound' });
    await expect(setAlias(db, alias, 'nothing')).rejects.toMatchObject({ type: 'IndexNotFound' });
  });

  it('a rollback to a retired index that is kept current is one switch, made when it has every write', async () => {
    const { db } = database();
    const { alias, blue, green, mirror } = await givenSwitched(db);

    const written = await writeIn(db, green, [content('a', 1)], { target: alias });
    expect(written.forwardTo).toEqual({ indexNo: blue.no, lock: mirror.lock });
    await expect(setAlias(db, alias, blue.name, { drainSeconds: 0.2 })).rejects.toMatchObject({ type: 'NotCurrent' });
    await writeCopies(db, mirror.lock, blue.no, [content('a', 1)]);
    expect(await setAlias(db, alias, blue.name)).toEqual({ alias, index: blue.name });
    expect(await writeIn(db, blue, [content('b', 2)], { target: alias })).toMatchObject({ forwardTo: null });
  });

  it('a rollback loses nothing long after the mirror of the retired index has stopped', async () => {
    const { db } = database();
    const { alias, blue, green, mirror } = await givenSwitched(db);
    await expireLock(db, mirror.lock);
    await writeIn(db, green, [content('a', 1)], { target: alias });
    await expect(setAlias(db, alias, blue.name, { drainSeconds: 0.2 })).rejects.toMatchObject({ type: 'NotCurrent' });
    await writeCopies(db, mirror.lock, blue.no, [content('a', 1)]);
    expect(await setAlias(db, alias, blue.name)).toEqual({ alias, index: blue.name });
    await expect(writeCopies(db, mirror.lock, blue.no, [])).rejects.toMatchObject({ type: 'LockLost' });
  });

  // The other database has one connection, which is in use while this test writes.
  it.skipIf(name === 'pglite')(
    'a rollback compares whole indexes before it blocks writers, then only what was written since',
    async () => {
      const { db } = database();
      const [blue, green] = [await createIndex(db), await createIndex(db)];
      const alias = uniqueName('alias');
      await setAlias(db, alias, blue.name);
      await writeIn(db, blue, [content('a', 1)], { target: alias });
      const { lock, taskId } = await lockIn(db, alias, green.name);
      await writeCopies(db, lock, green.no, [content('a', 1)]);
      const mark = await markChanges(db, blue.no);
      const mirror = { lock: randomUUID(), taskId, lockSeconds: 60 };
      await cutOver(db, { lock, sourceNo: blue.no, destNo: green.no, mark, alias, mirror });

      const before = await markChanges(db, green.no);
      const marks: number[] = [];
      let late: (() => Promise<unknown>) | undefined = () => writeIn(db, green, [content('b', 2)], { target: alias });
      const watched = db.withPlugin({
        transformQuery({ node }) {
          const { sql: statement, parameters } = db.getExecutor().compileQuery(node, { queryId: 'compare' });
          const [, place] = /as "firstChange".*s\.change > \$(\d+)/s.exec(statement) ?? [];
          if (place) marks.push(Number(parameters[Number(place) - 1]));
          return node;
        },
        transformResult: async ({ result }) => {
          const write = marks.length === 1 ? late : undefined;
          if (write) late = undefined;
          await write?.();
          return result;
        },
      });
      const moving = setAlias(watched, alias, blue.name, { drainSeconds: 0.3 });
      await expect(moving).rejects.toMatchObject({
        type: 'NotCurrent',
        message: expect.stringContaining('instance b'),
      });
      expect([...new Set(marks)]).toEqual([0, before]);
    },
  );

  it('an alias never points to an index of which no object has vectors, unless forced', async () => {
    const { db } = database();
    const [index, alias] = [await createIndex(db), uniqueName('alias')];
    await writeIn(db, index, [failure('a', 1), tombstone('gone', 2)]);
    await expect(setAlias(db, alias, index.name)).rejects.toMatchObject({
      type: 'NotCurrent',
      message: expect.stringMatching(/no object of .* has vectors.*set force/),
    });
    expect(await indexOf(db, alias)).toBeUndefined();
    await setAlias(db, alias, index.name, { force: true });
    // It is there already: nothing moves.
    await setAlias(db, alias, index.name);
    await writeIn(db, index, [content('b', 3)]);
    await setAlias(db, uniqueName('alias'), index.name);
  });

  describe('an alias moved by hand', () => {
    /** An alias on an index with an object, and the index to move it to. */
    async function given(db: Db) {
      const [from, to] = [await createIndex(db), await createIndex(db)];
      const alias = uniqueName('alias');
      await setAlias(db, alias, from.name);
      await writeIn(db, from, [content('a', 5), tombstone('gone', 6)]);
      return { from, to, alias };
    }
    it.each([
      ['lacks an object', [tombstone('gone', 6)], 'instance a'],
      ['has an object older', [content('a', 4), tombstone('gone', 6)], 'instance a'],
      ['lacks a deletion', [content('a', 5)], 'instance gone'],
      ['has no vectors of an object', [failure('a', 5), tombstone('gone', 6)], '1 objects have no vectors'],
    ])('does not move to an index that %s, unless forced', async (_what, written, message) => {
      const { db } = database();
      const { from, to, alias } = await given(db);
      await writeIn(db, to, written);
      await expect(setAlias(db, alias, to.name)).rejects.toMatchObject({
        type: 'NotCurrent',
        status: 409,
        message: expect.stringContaining(message),
      });
      expect(await indexOf(db, alias)).toBe(from.name);
      await setAlias(db, alias, to.name, { force: true });
      expect(await indexOf(db, alias)).toBe(to.name);
    });

    it('moves to an index that has all of its content, and more', async () => {
      const { db } = database();
      const { to, alias } = await given(db);
      await writeIn(db, to, [content('a', 7), tombstone('gone', 6), content('b', 8)]);
      await setAlias(db, alias, to.name);
      expect(await indexOf(db, alias)).toBe(to.name);
    });

    it.each(['internal', 'external'] as const)(
      'moves to an index that has forgotten the same deletion, with %s versions',
      async (versioning) => {
        const { db } = database();
        const [from, to] = [await createIndex(db, { versioning }), await createIndex(db, { versioning })];
        const alias = uniqueName('alias');
        await setAlias(db, alias, from.name);
        for (const index of [from, to]) await writeIn(db, index, [content('a', 5), tombstone('gone', 6)]);
        await collectTombstones(db, to.no, { retentionSeconds: -1, limit: 10 });
        await setAlias(db, alias, to.name);
        expect(await indexOf(db, alias)).toBe(to.name);
      },
    );

    it('does not bring back an object whose deletion was forgotten since', async () => {
      const { db } = database();
      const { from, to, alias } = await given(db);
      const { lock } = await lockIn(db, from.name, to.name);
      await writeCopies(db, lock, to.no, [content('a', 5), tombstone('gone', 6)]);
      await releaseLock(db, lock);
      await writeIn(db, from, [tombstone('a', 9)]);
      for (const { no } of [from, to]) await collectTombstones(db, no, { retentionSeconds: -1, limit: 10 });
      await expect(setAlias(db, alias, to.name)).rejects.toMatchObject({
        type: 'NotCurrent',
        message: expect.stringContaining('1 objects that were deleted'),
      });
    });

    it('removes an expired reindex lock, so that it is never renewed', async () => {
      const { db } = database();
      const { from, to, alias } = await given(db);
      const { lock } = await lockIn(db, from.name, to.name);
      await writeCopies(db, lock, to.no, [content('a', 5), tombstone('gone', 6)]);
      await expireLock(db, lock);
      await setAlias(db, alias, to.name);
      await expect(renewLock(db, lock, 60)).rejects.toMatchObject({ type: 'LockLost' });
    });

    it('an alias that points to an index for the first time is not compared with anything', async () => {
      const { db } = database();
      const { to } = await given(db);
      const alias = uniqueName('alias');
      await setAlias(db, alias, to.name);
      expect(await indexOf(db, alias)).toBe(to.name);
    });
  });

  it('rolling back one of two aliases leaves the mirror to the other', async () => {
    const { db } = database();
    const { alias: first, blue, green, mirror } = await givenSwitched(db);
    const second = uniqueName('alias');
    await setAlias(db, second, green.name);
    await setAlias(db, first, blue.name);
    expect(await writeIn(db, green, [content('a', 1)], { target: second })).toMatchObject({
      forwardTo: { lock: mirror.lock },
    });
    const back = () => setAlias(db, second, blue.name, { drainSeconds: 0.2 });
    await expect(back()).rejects.toMatchObject({ type: 'NotCurrent' });
    await writeCopies(db, mirror.lock, blue.no, [content('a', 1)]);
    await back();
    await expect(renewLock(db, mirror.lock, 60)).rejects.toMatchObject({ type: 'LockLost' });
  });

  // The other database has one connection.
  it.skipIf(name === 'pglite')('a rollback blocks writers until their last writes have been forwarded', async () => {
    const { db } = database();
    const { alias, blue, green } = await givenSwitched(db);

    // A writer writes continuously, and each write is forwarded some time later.
    const forwards: Promise<unknown>[] = [];
    const written: string[] = [];
    let over = false;
    const writer = (async () => {
      for (let version = 1; !over; version++) {
        const object = content(`k${version}`, version);
        let index = green;
        for (;;) {
          const outcome = await write(db, index, [object], { target: alias });
          if (outcome.kind === 'written') {
            const to = outcome.forwardTo;
            if (to) {
              forwards.push(
                delay(100)
                  .then(() => writeCopies(db, to.lock, to.indexNo, [object]))
                  .catch(lockLost),
              );
            }
            break;
          }
          if (outcome.kind === 'moved') index = blue;
          else await delay(10);
        }
        written.push(object.id);
        await delay(10);
      }
    })();
    while (written.length < 10) await delay(10);
    await setAlias(db, alias, blue.name);
    const before = written.length;
    while (written.length < before + 3) await delay(10);
    over = true;
    await writer;
    await Promise.all(forwards);
    expect(await indexOf(db, alias)).toBe(blue.name);
    expect((await liveIds(db, blue.no)).sort()).toEqual([...written].sort());
  });

  it('draining that a rollback cannot end expires by itself, and the alias stays', async () => {
    const { db } = database();
    const { alias, blue, green } = await givenSwitched(db);
    await writeIn(db, green, [content('a', 1)], { target: alias });
    await expect(setAlias(db, alias, blue.name, { drainSeconds: 0.2 })).rejects.toMatchObject({ type: 'NotCurrent' });
    expect(await indexOf(db, alias)).toBe(green.name);
    expect(await write(db, green, [content('b', 2)], { target: alias })).toMatchObject({ kind: 'written' });
    // With force: what is missing is lost, the rest is there.
    await setAlias(db, alias, blue.name, { drainSeconds: 0.2, force: true });
    expect(await indexOf(db, alias)).toBe(blue.name);
  });
});

const indexOf = async (db: Db, alias: string) => (await listAliases(db)).find((row) => row.alias === alias)?.index;

function lockLost(error: unknown): void {
  if (!(error instanceof ReembedError) || error.type !== 'LockLost') throw error;
}
