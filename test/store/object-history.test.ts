import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { LIMITS } from '../../src/contract/limits.ts';
import { type Db, openDatabase } from '../../src/store/database.ts';
import { readHistory } from '../../src/store/object-history.ts';
import { dropHistoryOfGoneIndexes, dropOldFailures } from '../../src/store/orphaned-rows.ts';
import { writeCopies } from '../../src/store/protocol/copy.ts';
import { noteFailures } from '../../src/store/protocol/history.ts';
import { collectTombstones } from '../../src/store/protocol/tombstones.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { onBothDatabases } from '../support/databases.ts';
import { content, createIndex, failure, lockIn, tombstone, unchanged, writeIn } from './builders.ts';

const writer = { taskId: 'a-task', by: 'ann' };

const kindsOf = async (db: Db, index: IndexRow, id: string) =>
  (await readHistory(db, index, id))?.map(({ kind, version }) => `${kind} ${version}`);

onBothDatabases((database, name) => {
  it('the history of an object has its writes and deletions with their task and token, newest first', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [content('a', 1, { text: 'text' }), content('b', 1)], { writer });
    await writeIn(db, index, [unchanged('a', 2, 'text')], { writer: { taskId: 'second', by: null } });
    await writeIn(db, index, [tombstone('a', 3)]);
    await writeIn(db, index, [content('a', 2)]); // stale: nothing happens
    await writeIn(db, index, [failure('a', 4)], { writer });
    const none = { copied: false, copiedFrom: null, reason: null };
    expect(await readHistory(db, index, 'a')).toMatchObject([
      { ...none, kind: 'failed', version: 4, taskId: 'a-task', by: 'ann' },
      { ...none, kind: 'deleted', version: 3, taskId: null, by: null },
      { ...none, kind: 'unchanged', version: 2, taskId: 'second', by: null },
      { ...none, kind: 'written', version: 1, taskId: 'a-task', by: 'ann' },
    ]);
    expect(await kindsOf(db, index, 'b')).toEqual(['written 1']);
    expect(await readHistory(db, index, 'nobody')).toBeUndefined();
  });

  it('an object that is deleted with its original has that in its history', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [content('a', 1), content('part', 1, { originalId: 'a' })]);
    await writeIn(db, index, [tombstone('a', 2)], { writer });
    expect((await readHistory(db, index, 'part'))?.[0]).toMatchObject({
      kind: 'deleted',
      version: 2,
      reason: 'original-deleted',
      ...writer,
    });
  });

  it('a copy is in the history of the new index, with its source and the reindex', async () => {
    const { db } = database();
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    await writeIn(db, source, [content('a', 1)], { writer });
    const { lock, taskId } = await lockIn(db, source.name, dest.name);
    await writeCopies(db, lock, dest.no, [content('a', 1), tombstone('b', 2)]);
    const copied = { copied: true, copiedFrom: source.name, taskId, by: null };
    expect(await readHistory(db, dest, 'a')).toMatchObject([{ ...copied, kind: 'written', version: 1 }]);
    expect(await readHistory(db, dest, 'b')).toMatchObject([{ ...copied, kind: 'deleted', version: 2 }]);
  });

  it('failures that change nothing are in the history with their reason', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [content('a', 1)]);
    const failures = [{ objectId: 'a', reason: 'ModelRejectedInput', version: 2 }];
    await noteFailures(db, index.no, failures, writer);
    expect(await readHistory(db, index, 'a')).toMatchObject([
      { kind: 'failed', version: 2, reason: 'ModelRejectedInput', ...writer },
      { kind: 'written', version: 1 },
    ]);
  });

  it('the history of an object keeps its last events, and those of other objects', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const last = LIMITS.historyPerObject + 7;
    await writeIn(db, index, [content('other', 1)]);
    for (let version = 1; version <= last; version++) await writeIn(db, index, [content('a', version)]);
    const kept = await kindsOf(db, index, 'a');
    expect([kept?.length, kept?.[0], kept?.at(-1)]).toEqual([50, `written ${last}`, `written ${last - 49}`]);
    const { rows } = await sql`select from reembed.object_history where index_no = ${index.no}`.execute(db);
    expect([rows.length, await kindsOf(db, index, 'other')]).toEqual([51, ['written 1']]);
  });

  it('history ends with the tombstone of its object, and with its index', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [content('a', 1), content('b', 1)]);
    await writeIn(db, index, [tombstone('a', 2)]);
    await collectTombstones(db, index.no, { retentionSeconds: -1, limit: 10 });
    expect([await kindsOf(db, index, 'a'), await kindsOf(db, index, 'b')]).toEqual([undefined, ['written 1']]);
    await sql`delete from reembed.indexes where no = ${index.no}`.execute(db);
    while ((await dropHistoryOfGoneIndexes(db, 1)) > 0);
    const { rows } = await sql`select from reembed.object_history where index_no = ${index.no}`.execute(db);
    expect(rows).toEqual([]);
  });

  it('failures are forgotten after their time, and what was written is not', async () => {
    const { db } = database();
    const index = await createIndex(db);
    await writeIn(db, index, [content('a', 1)]);
    const failures = ['a', 'never-stored'].map((objectId) => ({ objectId, reason: 'LoadFailed', version: 2 }));
    await noteFailures(db, index.no, failures, writer);
    await dropOldFailures(db, 3_600, 10);
    expect(await kindsOf(db, index, 'never-stored')).toEqual(['failed 2']);
    while ((await dropOldFailures(db, -1, 1)) > 0);
    expect([await kindsOf(db, index, 'never-stored'), await kindsOf(db, index, 'a')]).toEqual([
      undefined,
      ['written 1'],
    ]);
  });

  if (name === 'pglite') return; // its second pool would wait for the first

  it('a process that keeps no history adds nothing to it', async () => {
    const { db, url } = database();
    const silent = openDatabase({ url, history: false });
    const index = await createIndex(db);
    await writeIn(silent, index, [content('a', 1)]);
    await writeIn(silent, index, [tombstone('a', 2)]);
    await silent.destroy();
    expect(await readHistory(db, index, 'a')).toEqual([]);
  });
});
