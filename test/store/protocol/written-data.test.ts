import { expect, it } from 'vitest';
import { getObject } from '../../../src/store/objects.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { content, createIndex, orphanParts, rowsOf, tombstone, unchanged, write, writeIn } from '../builders.ts';

const STRANGE = [
  '"quoted" and \'quoted\'',
  'back\\slash \\" \\\\',
  '{}',
  '{a,b}',
  '{"a":1}',
  'NULL',
  'null',
  '\\N',
  ' ',
  '\n\t\r',
  ',',
  '𝒳 ä € 中 👩‍👩‍👧 \u{10ffff}',
  "'; drop table reembed.indexes; --",
  '$1 %s :name ?',
  '\u0001\u007f',
  '__proto__',
];

onBothDatabases((database) => {
  it('data of every kind comes back unchanged, in ids, payloads, metadata, uris and original ids', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const objects = STRANGE.flatMap((text, at) => [
      content(text, at + 1, { payload: text, metadata: { [text]: text }, uri: text, originalId: `of ${text}` }),
      content(`json ${text}`, at + 1, { payload: { [text]: [text, { deep: text }, null, 1e300, -0.5] } }),
    ]);
    await writeIn(db, index, objects);
    for (const { id, payload, metadata, uri, originalId } of objects) {
      expect(await getObject(db, index, id)).toMatchObject({ id, payload, metadata, uri, originalId });
    }
    const raised = STRANGE.map((text) =>
      unchanged(text, 1_000, `${text}@${STRANGE.indexOf(text) + 1}`, { [text]: text }),
    );
    expect((await writeIn(db, index, raised)).written).toHaveLength(STRANGE.length);
    const removed = await writeIn(
      db,
      index,
      STRANGE.map((text) => tombstone(text, 2_000)),
    );
    expect(removed.written).toHaveLength(STRANGE.length);
    expect(await orphanParts(db, index.no)).toEqual([]);
  });

  it('a write of nothing changes nothing', async () => {
    const { db } = database();
    const index = await createIndex(db);
    expect(await writeIn(db, index, [])).toEqual({
      kind: 'written',
      written: [],
      stale: [],
      changed: [],
      beyondRetention: [],
      forwardTo: null,
      isFinished: false,
    });
  });

  it('a batch with data that the database refuses writes nothing', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const bad = content('b', 1, {
      parts: [{ part: 0, start: 0, end: 1, isAverage: false, embedding: [Number.NaN] }],
    });
    await expect(write(db, index, [content('a', 1), bad])).rejects.toThrow();
    expect(await rowsOf(db, index.no)).toEqual([]);
  });
});
