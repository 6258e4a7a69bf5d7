import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import type { EmbedActivities } from '../../src/contract/activities.ts';
import type { Payload } from '../../src/contract/objects.ts';
import type { CopyCounts } from '../../src/contract/reindex-activities.ts';
import { createModels } from '../../src/models/models.ts';
import type { Db } from '../../src/store/database.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import type { LockRequest } from '../../src/store/protocol/lock-pair.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { stageItems } from '../../src/store/staging.ts';
import { createIndex, lockIn, uniqueName } from '../store/builders.ts';
import { onBothDatabases } from '../support/databases.ts';
import { givenDependencies } from './dependencies.ts';

const splitter = { chunkSize: 60, chunkOverlap: 0 };
const sentence = (word: string) => `${word} ${'x'.repeat(40)} ends here.`;
const long = (...words: string[]) => words.map(sentence).join('\n\n');

onBothDatabases((database) => {
  /** Activities whose model records what it is asked for. */
  function given() {
    const { db } = database();
    const asked: string[] = [];
    const models = createModels({ env: {} });
    let dimensions = 8;
    const deps = givenDependencies(db, () => async (texts, options) => {
      asked.push(...texts);
      return models.embedder({ provider: 'hash', name: 'hash-v1', dimensions }).embed(texts, options);
    });
    const activities = createActivities(deps);
    const run = <T>(act: (...args: never[]) => Promise<T>, ...args: unknown[]) =>
      new MockActivityEnvironment().run(act as never, ...(args as never[])) as Promise<T>;
    let version = 1;
    const upsert = async (index: IndexRow, items: { id: string; payload: Payload }[]) => {
      const staging = uniqueName('staging');
      await stageItems(db, staging, 0, items);
      version++;
      const request = {
        ...{ taskId: staging, staging, kind: 'upsert', index: index.name, version, fromSeq: 0, toSeq: items.length },
        ...{ onReindex: 'forward', triedBefore: false, onlyFailed: false, isWhole: false },
      };
      const { counts, forwards } = await run(activities.embed.writeChunk, request);
      return { counts, forwards: forwards.map((range) => ({ ...range, staging })) };
    };
    const reindex = async (source: IndexRow, dest: IndexRow, over: Partial<LockRequest> = {}) => {
      const { lock, taskId, mark } = await lockIn(db, source.name, dest.name, over);
      const pair = { taskId, lock, sourceNo: source.no, destNo: dest.no, batchSize: 100, ratePerSecond: null };
      await run(activities.embed.checkModel, dest.no);
      const copied = await run(activities.embed.copySlice, { ...pair, after: null, until: null });
      return { counts: copied.counts as CopyCounts, pair: { ...pair, mark } };
    };
    return { db, activities, run, upsert, reindex, asked, answerWith: (given: number) => (dimensions = given) };
  }

  const vectorsOf = async (db: Db, { no }: IndexRow) => {
    const { rows } = await sql<{ id: string; part: number; vector: string }>`
      select object_id as id, part, embedding::text as vector
      from ${tablesOf(no).parts}
      where not is_average
      order by object_id, part`.execute(db);
    return rows;
  };

  test('a reindex that changes only the metric does not call the model', async () => {
    const { db, activities, run, upsert, reindex, asked } = given();
    const source = await createIndex(db, { dimensions: 8, splitter });
    const dest = await createIndex(db, { dimensions: 8, splitter, metric: 'ip' });
    await upsert(source, [
      { id: 'a', payload: long('one', 'two', 'three') },
      { id: 'b', payload: 'short' },
    ]);
    asked.length = 0;
    const { counts, pair } = await reindex(source, dest);
    expect(counts).toMatchObject({ copied: 2, failed: 0, reused: 4 });
    const cutOver = { ...pair, alias: uniqueName('alias'), drainSeconds: 5, mirror: null };
    expect(await run(activities.embed.cutOver, cutOver)).toMatchObject({ kind: 'done' });
    expect(asked).toEqual([]);
    expect(await vectorsOf(db, dest)).toEqual(await vectorsOf(db, source));
  });

  test('a reindex with another splitter embeds only the texts that are new', async () => {
    const { db, upsert, reindex, asked } = given();
    const source = await createIndex(db, { dimensions: 8, splitter });
    const dest = await createIndex(db, { dimensions: 8, splitter: { ...splitter, chunkSize: 130 } });
    await upsert(source, [
      { id: 'a', payload: 'stays as it is' },
      { id: 'b', payload: long('one', 'two') },
    ]);
    asked.length = 0;
    const { counts } = await reindex(source, dest);
    expect(counts).toMatchObject({ copied: 2, reused: 1 });
    expect(asked.filter((text) => !PROBES.test(text))).toEqual([long('one', 'two')]);
  });

  describe('no vector is taken over', () => {
    test.each([
      ['of another number of dimensions', { dimensions: 4 }, {}],
      ['if the reindex is asked not to', { dimensions: 8 }, { reuse: false }],
    ])('%s', async (_what, config, over) => {
      const { db, upsert, reindex, asked, answerWith } = given();
      const source = await createIndex(db, { dimensions: 8, splitter });
      const dest = await createIndex(db, { ...config, splitter });
      await upsert(source, [{ id: 'a', payload: long('one', 'two') }]);
      asked.length = 0;
      answerWith(config.dimensions);
      const { counts } = await reindex(source, dest, over);
      expect(counts).toMatchObject({ copied: 1, reused: 0 });
      expect(asked).toEqual(expect.arrayContaining([sentence('one'), sentence('two')]));
    });

    test('of parts that were stored without the key of their text', async () => {
      const { db, upsert, reindex, asked } = given();
      const [source, dest] = [await createIndex(db, { dimensions: 8 }), await createIndex(db, { dimensions: 8 })];
      await upsert(source, [{ id: 'a', payload: 'old' }]);
      await sql`update ${tablesOf(source.no).parts} set text_key = null`.execute(db);
      asked.length = 0;
      expect((await reindex(source, dest)).counts).toMatchObject({ copied: 1, reused: 0 });
      expect(asked).toContain('old');
    });
  });

  test('a vector without direction is not taken over by an index with cosine', async () => {
    const { db, upsert, reindex } = given();
    const source = await createIndex(db, { dimensions: 8, metric: 'l2' });
    const dest = await createIndex(db, { dimensions: 8 });
    await upsert(source, [
      { id: 'a', payload: 'text' },
      { id: 'b', payload: 'other' },
    ]);
    await sql`
      update ${tablesOf(source.no).parts} set embedding = '[0,0,0,0,0,0,0,0]' where object_id = 'a'`.execute(db);
    expect((await reindex(source, dest)).counts).toMatchObject({ copied: 1, failed: 1 });
  });

  test('an edited part of an object is embedded alone, and its average follows', async () => {
    const { db, upsert, asked } = given();
    const index = await createIndex(db, { dimensions: 8, splitter, average: true });
    const fresh = await createIndex(db, { dimensions: 8, splitter, average: true });
    await upsert(index, [{ id: 'a', payload: long('one', 'two', 'three', 'four') }]);
    asked.length = 0;
    const { counts } = await upsert(index, [{ id: 'a', payload: long('one', 'two', 'changed', 'four') }]);
    expect(asked).toEqual([sentence('changed')]);
    expect(counts).toMatchObject({ written: 1, reused: 3 });
    await upsert(fresh, [{ id: 'a', payload: long('one', 'two', 'changed', 'four') }]);
    expect(await vectorsOf(db, index)).toEqual(await vectorsOf(db, fresh));
  });

  test('a change of a field that is not embedded calls no model', async () => {
    const { db, upsert, asked } = given();
    const index = await createIndex(db, { dimensions: 8, splitter: { fields: ['title'] } });
    await upsert(index, [{ id: 'a', payload: { title: 'a lamp', views: 1 } }]);
    asked.length = 0;
    const { counts } = await upsert(index, [{ id: 'a', payload: { title: 'a lamp', views: 2 } }]);
    expect({ asked, counts }).toMatchObject({ asked: [], counts: { written: 1, unchanged: 1 } });
  });

  test('equal texts of one batch are sent once', async () => {
    const { db, upsert, asked } = given();
    const index = await createIndex(db, { dimensions: 8 });
    const { counts } = await upsert(index, [
      { id: 'a', payload: 'the same' },
      { id: 'b', payload: 'the same' },
      { id: 'c', payload: 'another' },
    ]);
    expect(asked.toSorted()).toEqual(['another', 'the same']);
    expect(counts).toMatchObject({ written: 3, reused: 1 });
  });

  test('a forwarded write and a reconciled one take over what the source has embedded', async () => {
    const { db, activities, run, upsert, reindex, asked } = given();
    const source = await createIndex(db, { dimensions: 8, splitter });
    const dest = await createIndex(db, { dimensions: 8, splitter, metric: 'l2' });
    await upsert(source, [{ id: 'a', payload: long('one', 'two') }]);
    const { pair } = await reindex(source, dest);
    const { forwards } = await upsert(source, [{ id: 'a', payload: long('one', 'new') }]);
    asked.length = 0;
    expect(forwards).toHaveLength(1);
    for (const range of forwards) {
      expect(await run(activities.embed.forwardChunk as EmbedActivities['forwardChunk'], range)).toEqual({
        forwarded: 1,
      });
    }
    await upsert(source, [{ id: 'b', payload: 'only reconciled' }]);
    asked.length = 0;
    expect(await run(activities.embed.reconcile, pair)).toMatchObject({ counts: { copied: 1, reused: 1 } });
    expect(asked).toEqual([]);
    expect(await vectorsOf(db, dest)).toEqual(await vectorsOf(db, source));
  });
});

/** The texts with which a model is tried out. */
const PROBES = /^(hello|The harbor)/;
