import { expect, it } from 'vitest';
import { writeCopies } from '../../../src/store/protocol/copy.ts';
import { countLiveWrites } from '../../../src/store/protocol/live-writes.ts';
import { releaseLock } from '../../../src/store/protocol/lock-pair.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { content, createIndex, lockIn, tombstone, uniqueName, writeIn } from '../builders.ts';

const NONE = { since: null, written: 0, deleted: 0, arrived: 0, isMore: false };

onBothDatabases((database) => {
  it('counts what users write while a reindex runs, each object once, and what the new index has of it', async () => {
    const { db } = database();
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    await writeIn(db, source, [content('before', 1), content('b', 2)]);
    const { lock, taskId, lockTime } = await lockIn(db, source.name, dest.name);
    const since = { ...NONE, since: lockTime };
    expect(await countLiveWrites(db, taskId)).toEqual(since);
    await writeIn(db, source, [content('a', 3), content('b', 4)]);
    await writeIn(db, source, [content('a', 5), content('c', 6)]);
    await writeIn(db, source, [tombstone('c', 7)]);
    expect(await countLiveWrites(db, taskId)).toEqual({ ...since, written: 2, deleted: 1 });
    // Copies are no writes of users, and an older copy is not the object as it is now.
    await writeCopies(db, lock, dest.no, [content('before', 1), content('a', 5), content('b', 2), tombstone('c', 7)]);
    expect(await countLiveWrites(db, taskId)).toEqual({ ...since, written: 2, deleted: 1, arrived: 2 });
    await releaseLock(db, lock);
    expect(await countLiveWrites(db, taskId)).toEqual(NONE);
  });

  it('counts nothing for a task that holds no lock', async () => {
    expect(await countLiveWrites(database().db, uniqueName('none'))).toEqual(NONE);
  });
});
