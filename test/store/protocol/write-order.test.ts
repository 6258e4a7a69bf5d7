import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Db } from '../../../src/store/database.ts';
import { storedHashes } from '../../../src/store/protocol/live-write.ts';
import type { ObjectWrite } from '../../../src/store/protocol/object-write.ts';
import type { IndexRow } from '../../../src/store/schema.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { content, createIndex, orphanParts, partsOf, rowsOf, tombstone, unchanged, writeIn } from '../builders.ts';

/** Each object keeps one original, as in practice: copies of copies, and objects without an original. */
const ORIGINALS: Record<string, string | null> = { a: null, b: 'a', c: 'b', d: 'a', x: null };

type Change = { id: string; version: number; text: string } | { id: string; version: number; text: null };

/** A history: changes with the versions 1, 2, 3, … in the order in which they were accepted. */
const history: fc.Arbitrary<Change[]> = fc
  .array(
    fc.record({
      id: fc.constantFrom(...Object.keys(ORIGINALS)),
      // Few texts, so that the content often is what is stored already.
      text: fc.option(fc.constantFrom('one', 'two'), { freq: 2 }),
    }),
    { minLength: 1, maxLength: 9 },
  )
  .map((changes) => changes.map((change, at) => ({ ...change, version: at + 1 })));

/** The same changes in any order, cut into batches in any way; within a batch an id may repeat. */
const arrival = history.chain((changes) =>
  fc.record({
    changes: fc.constant(changes),
    order: fc.shuffledSubarray(changes, { minLength: changes.length, maxLength: changes.length }),
    cuts: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: changes.length, maxLength: changes.length }),
  }),
);

/** The truth: an object is what its newest change made it, unless it or one of its originals was deleted later. */
function truth(changes: readonly Change[]): { id: string; version: number; payload: string }[] {
  const deletionOf = (id: string): number => {
    const own = Math.max(
      0,
      ...changes.filter((one) => one.id === id && one.text === null).map(({ version }) => version),
    );
    // An object that was never written has not recorded its original.
    const original = changes.some((one) => one.id === id && one.text !== null) ? ORIGINALS[id] : null;
    return Math.max(own, original ? deletionOf(original) : 0);
  };
  return Object.keys(ORIGINALS).flatMap((id) => {
    const newest = changes.findLast((change) => change.id === id && change.text !== null);
    return newest?.text && newest.version > deletionOf(id)
      ? [{ id, version: newest.version, payload: newest.text }]
      : [];
  });
}

/** Writes as a task does: reads the stored hashes first, and embeds again what was changed in between. */
async function apply(db: Db, index: IndexRow, batch: readonly Change[]): Promise<void> {
  const known = await storedHashes(
    db,
    index.no,
    batch.map(({ id }) => id),
  );
  const toWrite = (change: Change, reuse: boolean): ObjectWrite => {
    const { id, version, text } = change;
    if (text === null) return tombstone(id, version);
    const originalId = ORIGINALS[id] ?? null;
    if (reuse && known.get(id) === `hash of ${text}`) {
      return { ...unchanged(id, version, text), originalId } as ObjectWrite;
    }
    return content(id, version, {
      text,
      originalId,
      parts: partsOf(text === 'one' ? [1] : [2, 2]),
      metadata: { version },
    });
  };
  const { changed } = await writeIn(
    db,
    index,
    batch.map((change) => toWrite(change, true)),
  );
  const again = batch.filter(({ id }) => changed.includes(id)).map((change) => toWrite(change, false));
  if (again.length > 0) await writeIn(db, index, again);
}

onBothDatabases((database) => {
  it('a history ends in the same state for any order and batches of arrival', async () => {
    const { db } = database();
    await fc.assert(
      fc.asyncProperty(arrival, async ({ changes, order, cuts }) => {
        const index = await createIndex(db);
        for (let at = 0, cut = 0; at < order.length; cut++) {
          const size = cuts[cut] ?? 1;
          await apply(db, index, order.slice(at, at + size));
          at += size;
        }
        const rows = (await rowsOf(db, index.no)).filter(({ deleted }) => !deleted);
        const expected = truth(changes);
        expect(rows.map(({ id, version, payload }) => ({ id, version, payload }))).toEqual(expected);
        expect(rows.map(({ metadata }) => metadata)).toEqual(expected.map(({ version }) => ({ version })));
        expect(rows.map(({ parts }) => parts)).toEqual(
          expected.map(({ payload }) => (payload === 'one' ? [1] : [2, 2])),
        );
        expect(await orphanParts(db, index.no)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
