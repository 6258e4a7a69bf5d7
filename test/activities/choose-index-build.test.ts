import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import type { ChooseIndexBuildRequest, IndexBuildChoice } from '../../src/contract/index-build.ts';
import type { IndexConfigInput } from '../../src/contract/indexes.ts';
import { buildVectorIndex } from '../../src/store/vector-index.ts';
import { content, createIndex, writeIn } from '../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { givenDependencies } from './dependencies.ts';

/** Objects that are copied, of a source that is much larger. */
const [COPIED, TOTAL] = [50, 200_000];
const [AT_ONCE_MS, SLOW_MS] = [0, 60_000];

let database: TestDatabase;
beforeAll(async () => {
  database = await openPostgresDatabase();
});
afterAll(() => database?.close());

async function givenCopied(config: Partial<IndexConfigInput> = {}) {
  const index = await createIndex(database.db, config);
  await writeIn(
    database.db,
    index,
    Array.from({ length: COPIED }, (_, at) => content(`d${at}`, 1)),
  );
  return index;
}

async function choose(
  given: Pick<ChooseIndexBuildRequest, 'destNo'> & Partial<ChooseIndexBuildRequest>,
  indexMemoryMb = 1_000,
): Promise<IndexBuildChoice> {
  const usual = givenDependencies(database.db, () => undefined);
  const { embed } = createActivities({ ...usual, settings: { ...usual.settings, indexMemoryMb } });
  const request = { asked: 'auto', total: TOTAL, copied: COPIED, copyMs: AT_ONCE_MS, ...given } as const;
  return new MockActivityEnvironment().run(embed.chooseIndexBuild, request);
}

test('a copy that is slower than inserts gets an index that grows with it', async () => {
  const { no } = await givenCopied();
  const choice = await choose({ destNo: no, copyMs: SLOW_MS });
  expect(choice).toMatchObject({ chosen: 'during', share: null, warning: null });
  expect(choice.why).toContain('fit into the time of the copy');
});

test('a fast copy gets its index in one build after it', async () => {
  const { no } = await givenCopied();
  const choice = await choose({ destNo: no });
  expect(choice).toMatchObject({ chosen: 'after', share: null, warning: null });
  expect(choice.forecast?.after).toBeLessThan(choice.forecast?.during ?? 0);
});

test('a fast copy whose graph does not fit into the memory of a build is split, with a warning', async () => {
  const { no } = await givenCopied();
  const choice = await choose({ destNo: no }, 64);
  expect(choice).toMatchObject({ chosen: 'split', warning: expect.stringContaining('may use 64 MB') });
  expect(choice.share).toBeGreaterThan(0.1);
  expect(choice.share).toBeLessThan(0.9);
});

test('a split that was asked for is on half of the objects, or on those that fit into the memory', async () => {
  const { no } = await givenCopied();
  const asked = { destNo: no, asked: 'split' } as const;
  expect(await choose(asked)).toMatchObject({ chosen: 'split', why: 'as asked', share: 0.5 });
  expect((await choose(asked, 16)).share).toBeLessThan(0.5);
});

test('nothing is chosen where there is no HNSW index, or where it is there already', async () => {
  const none = await givenCopied({ vectorIndex: { kind: 'none' } });
  expect(await choose({ destNo: none.no })).toMatchObject({ chosen: 'after', why: 'the index has no HNSW index' });
  const ready = await givenCopied();
  expect(await buildVectorIndex(database.db, ready, { memoryMb: 16 })).toBe(true);
  expect(await choose({ destNo: ready.no })).toMatchObject({
    chosen: 'during',
    why: expect.stringContaining('already'),
  });
});
