import { type KyselyPlugin, sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditCounts } from '../../../src/contract/audit.ts';
import { seededRandom } from '../../../src/evaluation/random.ts';
import type { Db } from '../../../src/store/database.ts';
import { tablesOf } from '../../../src/store/partitions.ts';
import { readLiveObjects, replaceParts } from '../../../src/store/protocol/audit-repair.ts';
import { nextVersion } from '../../../src/store/protocol/versions.ts';
import type { IndexRow } from '../../../src/store/schema.ts';
import { orphanParts, rowOf, tombstone, writeIn } from '../../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';

import { givenDependencies } from '../dependencies.ts';
import { audit, auditedIndex, BREAKS, breakEach, embedded, textOf } from './support.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openPostgresDatabase();
});
afterAll(() => database?.close());

const given = () => givenDependencies(database.db, () => undefined);

async function filled(ids: readonly string[]): Promise<IndexRow> {
  const index = await auditedIndex(database.db);
  const items = ids.map((id) => ({ id, payload: textOf(id) }));
  await writeIn(database.db, index, await embedded(given(), index, items, await nextVersion(database.db)));
  return index;
}

/** Calls back with the result of each look before the audit sees it. */
function onLook(db: Db, use: (look: number) => Promise<void>): Db {
  let looks = 0;
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      if (result.rows.some((row) => 'otherLength' in row)) await use(++looks);
      return result;
    },
  };
  return db.withPlugin(plugin);
}

test('what is whole at the second look of an audit is not reported', async () => {
  const { db } = database;
  const index = await filled(['a', 'b', 'c']);
  for (const id of ['a', 'b']) await BREAKS['without-parts'](db, index.no, id);
  const write = await embedded(given(), index, [{ id: 'a', payload: 'words on their way' }], await nextVersion(db));
  let looks = 0;
  // The write arrives after the first look.
  const background = onLook(db, async (look) => {
    looks = look;
    if (look === 1) await writeIn(db, index, write);
  });
  expect((await audit({ ...given(), background }, index.name)).listed).toEqual([['b', 'without-parts']]);
  expect(looks).toBe(2);
});

test('a repair leaves an object alone that was written or deleted after it was read', async () => {
  const { db } = database;
  const index = await filled(['a', 'b', 'c']);
  const read = await readLiveObjects(db, index.no, ['a', 'b', 'c']);
  const { version = 0 } = read[0] ?? {};
  const repairs = await embedded(given(), index, read as never, version);
  await writeIn(db, index, await embedded(given(), index, [{ id: 'a', payload: 'newer' }], version + 1));
  await writeIn(db, index, [tombstone('b', version + 1)]);
  const before = [await rowOf(db, index.no, 'a'), await rowOf(db, index.no, 'b')];
  await BREAKS['without-parts'](db, index.no, 'c');
  await replaceParts(db, index.no, repairs);
  expect([await rowOf(db, index.no, 'a'), await rowOf(db, index.no, 'b')]).toEqual(before);
  expect((await audit(given(), index.name)).counts.found).toEqual({});
});

test('an audit beside writers finds what is broken, and nothing else', async () => {
  const { db } = database;
  const random = seededRandom(7);
  const ids = Array.from({ length: 60 }, (_, at) => `live-${at}`);
  const index = await filled([...ids, ...Object.keys(BREAKS)]);
  const broken = await breakEach(db, index);
  let isOver = false;
  const writer = async () => {
    while (!isOver) {
      const chosen = ids.filter(() => random() < 0.2);
      const version = await nextVersion(db);
      if (random() < 0.3) {
        await writeIn(
          db,
          index,
          chosen.map((id) => tombstone(id, version)),
        );
        continue;
      }
      const words = () => 'some more words '.repeat(Math.floor(random() * 12));
      const items = chosen.map((id) => ({ id, payload: `${id} ${words()}` }));
      await writeIn(db, index, await embedded(given(), index, items, version));
    }
  };
  const writers = [writer(), writer(), writer()];
  try {
    const sum: AuditCounts['found'][] = [];
    for (let round = 0; round < 5; round++) {
      const { listed, counts } = await audit(given(), index.name);
      expect(listed).toEqual(broken);
      sum.push(counts.found);
    }
    expect(new Set(sum.map((found) => JSON.stringify(found))).size).toBe(1);
    // Repairs beside writers.
    for (const id of ids.slice(0, 5)) {
      await sql`delete from ${tablesOf(index.no).parts} where object_id = ${id}`.execute(db);
      expect((await audit(given(), index.name, { repair: true })).listed).toEqual([]);
    }
  } finally {
    isOver = true;
    await Promise.all(writers);
  }
  expect((await audit(given(), index.name)).counts.found).toEqual({});
  expect(await orphanParts(db, index.no)).toEqual([]);
});
