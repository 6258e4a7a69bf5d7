import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readBehind } from '../../../src/store/protocol/copy.ts';
import { hasAtMost, planSlices } from '../../../src/store/protocol/slices.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { content, createIndex, rowsOf, tombstone, writeIn } from '../builders.ts';

const ids = (objects: readonly { id: string }[]) => objects.map(({ id }) => id);

onBothDatabases((database) => {
  it('slices cover the key space exactly: every object lies in one slice, whatever the ids', async () => {
    const { db } = database();
    const anyId = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 5 })
      .filter((id) => id.isWellFormed() && !id.includes('\0'));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(anyId, { maxLength: 12 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 5 }),
        async (objectIds, maxObjects, maxSlices, maxInFlight, lanes) => {
          const [source, dest] = [await createIndex(db), await createIndex(db)];
          await writeIn(
            db,
            source,
            objectIds.map((id, at) => (at % 4 === 3 ? tombstone(id, 1) : content(id, 1))),
          );
          const limits = { minObjects: 1, maxObjects, maxSlices, maxInFlight, lanes };
          const { slices, total, inFlight } = await planSlices(db, source.no, limits);
          expect(total).toBe(objectIds.filter((_, at) => at % 4 !== 3).length);
          expect(slices.length).toBeLessThanOrEqual(maxSlices);
          expect(inFlight).toBeLessThanOrEqual(maxInFlight);
          expect(Math.min(slices.length, lanes) * inFlight).toBeLessThanOrEqual(lanes);
          const pair = { sourceNo: source.no, destNo: dest.no };
          const found: string[] = [];
          for (const slice of slices) found.push(...ids((await readBehind(db, pair, slice, 100)).objects));
          expect(found).toEqual(ids(await rowsOf(db, source.no)));
          expect([slices[0]?.after, slices.at(-1)?.until]).toEqual([null, null]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each([
    ['as many as are copied at once', 3, { maxObjects: 100 }, [4, 4, 4], 1],
    ['a multiple of that', 3, { maxObjects: 3 }, [2, 2, 2, 2, 2, 2], 1],
    ['fewer where they would be too small', 3, { minObjects: 6, maxObjects: 100 }, [6, 6], 1],
    ['at most so many', 3, { maxObjects: 1, maxSlices: 2 }, [6, 6], 1],
    ['one where that can copy all batches at once', 4, { maxObjects: 12, maxInFlight: 4 }, [12], 4],
    ['as few as hold all objects, which share the batches', 4, { maxObjects: 11, maxInFlight: 4 }, [6, 6], 2],
    ['as few as can copy all batches at once', 6, { maxObjects: 12, maxInFlight: 2 }, [4, 4, 4], 2],
    ['no more than can be copied at once', 4, { maxObjects: 5, maxInFlight: 4 }, [3, 3, 3, 3], 1],
  ])('slices are of equal size: %s', async (_name, lanes, limits, sizes, inFlightOfEach) => {
    const { db } = database();
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    const objectIds = Array.from({ length: 12 }, (_, at) => `id-${String(at).padStart(2, '0')}`);
    await writeIn(
      db,
      source,
      objectIds.map((id) => content(id, 1)),
    );
    const usual = { minObjects: 1, maxSlices: 100, maxInFlight: 1, lanes };
    const { slices, size, inFlight } = await planSlices(db, source.no, { ...usual, ...limits });
    const pair = { sourceNo: source.no, destNo: dest.no };
    const found = await Promise.all(
      slices.map(async (slice) => (await readBehind(db, pair, slice, 100)).objects.length),
    );
    expect(found).toEqual(sizes);
    expect({ size, inFlight }).toEqual({ size: sizes[0], inFlight: inFlightOfEach });
  });

  it('slices of a share end before the last key, and the slices after them cover the rest', async () => {
    const { db } = database();
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    const objectIds = Array.from({ length: 20 }, (_, at) => `id-${String(at).padStart(2, '0')}`);
    await writeIn(
      db,
      source,
      objectIds.map((id) => content(id, 1)),
    );
    const limits = { minObjects: 1, maxObjects: 3, maxSlices: 100, maxInFlight: 1, lanes: 1 };
    const first = await planSlices(db, source.no, { ...limits, share: 0.33 });
    expect(first).toMatchObject({ objects: 7, total: 20 });
    const after = first.slices.at(-1)?.until ?? null;
    expect(after).toBe('id-06');
    const rest = await planSlices(db, source.no, { ...limits, after });
    expect(rest).not.toHaveProperty('objects');
    const pair = { sourceNo: source.no, destNo: dest.no };
    const found: string[] = [];
    for (const slice of [...first.slices, ...rest.slices]) {
      found.push(...ids((await readBehind(db, pair, slice, 100)).objects));
    }
    expect(found).toEqual(objectIds);
    expect(await planSlices(db, source.no, { ...limits, share: 1 })).not.toHaveProperty('objects');
    expect(await planSlices(db, source.no, { ...limits, share: 0 })).toMatchObject({ objects: 1 });
  });

  it('an index without objects is one slice', async () => {
    const { db } = database();
    const source = await createIndex(db);
    const limits = { minObjects: 5, maxObjects: 5, maxSlices: 5, maxInFlight: 2, lanes: 2 };
    const all = { after: null, until: null };
    expect(await planSlices(db, source.no, limits)).toEqual({ slices: [all], size: 5, total: 0, inFlight: 2 });
  });

  it('the check for a max number of objects counts tombstones', async () => {
    const { db } = database();
    const source = await createIndex(db);
    await writeIn(db, source, [content('a', 1), content('b', 1), tombstone('c', 1)]);
    expect(await Promise.all([2, 3, 4].map((most) => hasAtMost(db, source.no, most)))).toEqual([false, true, true]);
  });
});
