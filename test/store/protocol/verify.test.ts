import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { markChanges, writeCopies } from '../../../src/store/protocol/copy.ts';
import { compareIndexes } from '../../../src/store/protocol/verify.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { content, createIndex, failure, lockIn, tombstone, writeIn } from '../builders.ts';

/** Live work for this many questions, and the number of pieces that took turns. */
function turnsFor(questions: number) {
  const turns = {
    asked: 0,
    taken: 0,
    isLive: async () => turns.asked++ < questions,
    take<T>(piece: () => Promise<T>): Promise<T> {
      turns.taken++;
      return piece();
    },
  };
  return turns;
}

onBothDatabases((database) => {
  it('a comparison in ranges, during live work, finds what one statement finds', async () => {
    const { db } = database();
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    const { lock } = await lockIn(db, source.name, dest.name);
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
    await writeIn(db, source, [...ids.map((id) => content(id, 2)), tombstone('k', 2)]);
    // Missing: b. Older: c. Failed: d. Newer: e. Unknown: bb and z. Dead in the source only: k.
    await writeCopies(db, lock, dest.no, [
      ...['a', 'f', 'g', 'h', 'i', 'j', 'bb', 'z'].map((id) => content(id, 2)),
      ...[content('c', 1), failure('d', 2), content('e', 3), content('k', 1)],
    ]);
    await sql.raw(`delete from reembed.parts_${dest.no} where object_id in ('g', 'h')`).execute(db);
    await sql.raw(`delete from reembed.objects_${dest.no} where object_id = 'j'`).execute(db);
    const pair = { sourceNo: source.no, destNo: dest.no };
    const mark = await markChanges(db, source.no);
    const whole = await compareIndexes(db, pair, mark);
    expect(whole).toMatchObject({ source: 10, dest: 11, failed: 1, failedHere: 1, withoutParts: 2, orphanedParts: 1 });
    expect(whole.behind).toBeGreaterThan(0);
    expect(whole.ahead).toBeGreaterThan(0);
    for (const [rangeObjects, pieces] of [
      [1, 12],
      [3, 4],
      [100, 1],
    ] as const) {
      const turns = turnsFor(Number.POSITIVE_INFINITY);
      expect(await compareIndexes(db, pair, mark, { turns, rangeObjects })).toEqual(whole);
      expect(turns.taken).toBe(pieces);
    }
    // Once the live work is over, one statement compares the rest.
    const turns = turnsFor(2);
    expect(await compareIndexes(db, pair, mark, { turns, rangeObjects: 2 })).toEqual(whole);
    expect(turns.taken).toBe(3);
  });
});
