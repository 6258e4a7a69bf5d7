import { Document } from '@langchain/core/documents';
import { FakeEmbeddings } from '@langchain/core/utils/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { indexModel, ReembedVectorStore } from '../../../src/integrations/langchain/index.ts';
import { type System, startSystem } from '../../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system?.stop());

const HASH = { model: { provider: 'hash', dimensions: 64 } } as const;

let stores = 0;
/** A store over a new index. */
async function emptyStore(): Promise<ReembedVectorStore> {
  const index = `lc-${++stores}`;
  await system.reembed.indexes.create(index, HASH);
  return new ReembedVectorStore({ client: system.reembed, index });
}

const doc = (pageContent: string, metadata: Record<string, unknown> = {}, id?: string) =>
  new Document({ pageContent, metadata, id });
const contents = (documents: { pageContent: string }[]) => documents.map(({ pageContent }) => pageContent);

/** As the standard tests of LangChain expect of every vector store. */
describe('a LangChain vector store', () => {
  test('finds nothing while it is empty', async () => {
    expect(await (await emptyStore()).similaritySearch('foo', 1)).toEqual([]);
  });

  test('returns one id for each added document, and searches find it with its metadata and id', async () => {
    const store = await emptyStore();
    const ids = await store.addDocuments([doc('foo', { id: 1 }), doc('bar', { id: 2 })]);
    expect(new Set(ids).size).toBe(2);
    expect(await store.similaritySearch('bar', 2)).toEqual([
      doc('bar', { id: 2 }, ids[1]),
      doc('foo', { id: 1 }, ids[0]),
    ]);
  });

  test('changes none of the documents that it adds', async () => {
    const store = await emptyStore();
    const documents = [doc('foo', { id: 1 })];
    await store.addDocuments(documents);
    expect(documents).toEqual([doc('foo', { id: 1 })]);
  });

  test('takes ids from its options, otherwise from the documents', async () => {
    const store = await emptyStore();
    expect(await store.addDocuments([doc('foo', {}, 'own'), doc('bar')], { ids: ['1', '2'] })).toEqual(['1', '2']);
    const [own, made] = await store.addDocuments([doc('baz', {}, 'own'), doc('qux')]);
    expect(own).toBe('own');
    expect(made).toMatch(/^[0-9a-f-]{36}$/);
    expect((await store.similaritySearch('baz', 1))[0]?.id).toBe('own');
  });

  test('replaces a document that is added again with its id', async () => {
    const store = await emptyStore();
    for (const text of ['foo', 'foo']) await store.addDocuments([doc(text), doc('bar')], { ids: ['1', '2'] });
    await store.addDocuments([doc('new foo', { some: 'thing' })], { ids: ['1'] });
    const found = await store.similaritySearch('new foo', 10);
    expect(found).toEqual([doc('new foo', { some: 'thing' }, '1'), doc('bar', {}, '2')]);
  });

  test('deletes one or several documents, and ignores ids that it does not have', async () => {
    const store = await emptyStore();
    await store.addDocuments([doc('foo'), doc('bar'), doc('baz')], { ids: ['1', '2', '3'] });
    await store.delete({ ids: ['1', 'unknown'] });
    await store.delete({ ids: ['2'] });
    expect(contents(await store.similaritySearch('foo', 10))).toEqual(['baz']);
    await expect(store.delete({})).rejects.toMatchObject({ type: 'InvalidInput', issues: [{ path: 'ids' }] });
    expect(contents(await store.similaritySearch('foo', 10))).toEqual(['baz']);
  });

  test('returns scores, highest first, and searches by a vector of the model of the index', async () => {
    const store = await emptyStore();
    await store.addDocuments([doc('big cat'), doc('small dog')]);
    const found = await store.similaritySearchWithScore('big cat', 2);
    expect(contents(found.map(([document]) => document))).toEqual(['big cat', 'small dog']);
    expect(found[0]?.[1]).toBeCloseTo(1, 5);
    expect(found[0]?.[1]).toBeGreaterThan(found[1]?.[1] ?? 1);
    const vector = Array.from({ length: 64 }, (_, at) => at + 1);
    expect(await store.similaritySearchVectorWithScore(vector, 1)).toHaveLength(1);
    await expect(store.similaritySearchVectorWithScore([1, 2], 1)).rejects.toMatchObject({ type: 'InvalidInput' });
  });

  test('passes a filter on, also as a retriever', async () => {
    const store = await emptyStore();
    const documents = ['en', 'de', 'fr'].map((lang) => doc('the same text', { lang, at: { page: 1 } }));
    await store.addDocuments(documents);
    const german = { metadata: { lang: 'de', at: { page: 1 } } };
    expect(await store.similaritySearch('text', 3, { lang: 'de' })).toMatchObject([german]);
    expect(await store.asRetriever({ k: 3, filter: { lang: 'de' } }).invoke('text')).toMatchObject([german]);
    expect(await store.asRetriever(2).invoke('text')).toHaveLength(2);
    const retriever = store.asRetriever();
    await retriever.addDocuments([doc('added by the retriever')]);
    expect(contents(await retriever.invoke('added by the retriever')).at(0)).toBe('added by the retriever');
  });

  test('names the documents that could not be written, and writes the others', async () => {
    const store = await emptyStore();
    const bad = doc('bad', { number: Number.NaN });
    await expect(store.addDocuments([doc('good'), bad], { ids: ['g', 'b'] })).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringMatching(/^1 of 2 failed: upsert b: .*metadata.number/),
    });
    expect(contents(await store.similaritySearch('good', 5))).toEqual(['good']);
    await expect(store.addDocuments([doc('good')], { ids: [] })).rejects.toMatchObject({ issues: [{ path: 'ids' }] });
  });

  test('is made of texts or documents, creates its index if asked, and opens one that exists', async () => {
    const client = system.reembed;
    const config = { client, index: 'lc-made', create: HASH };
    const made = await ReembedVectorStore.fromTexts(['foo', 'bar'], [{ at: 1 }, { at: 2 }], indexModel, config);
    expect(await made.similaritySearch('bar', 1)).toMatchObject([{ pageContent: 'bar', metadata: { at: 2 } }]);
    await ReembedVectorStore.fromTexts(['baz'], { at: 3 }, null, config);
    await ReembedVectorStore.fromDocuments([doc('qux', {}, 'q')], null, { client, index: 'lc-made' });
    const opened = await ReembedVectorStore.fromExistingIndex(null, { client, index: 'lc-made' });
    expect(contents(await opened.similaritySearch('qux', 10)).sort()).toEqual(['bar', 'baz', 'foo', 'qux']);
    const unknown = { client, index: 'lc-unknown' };
    await expect(ReembedVectorStore.fromExistingIndex(null, unknown)).rejects.toMatchObject({ type: 'IndexNotFound' });
    await expect(ReembedVectorStore.fromTexts(['foo'], {}, null, unknown)).rejects.toThrow(/lc-unknown/);
  });

  test('refuses what it could only ignore: other embeddings, vectors, metadata without a text', async () => {
    const config = { client: system.reembed, index: 'lc-refused', create: HASH };
    const embeddings = new FakeEmbeddings();
    for (const refused of [
      () => ReembedVectorStore.fromTexts(['foo'], {}, embeddings, config),
      () => ReembedVectorStore.fromTexts(['foo'], [{}, {}], null, config),
      () => new ReembedVectorStore(config).addVectors(),
      () => indexModel.embedQuery('foo'),
    ]) {
      await expect(refused()).rejects.toMatchObject({ type: 'InvalidInput' });
    }
    await expect(system.reembed.indexes.get('lc-refused')).rejects.toMatchObject({ type: 'IndexNotFound' });
    expect(() => new ReembedVectorStore({ client: system.reembed } as never)).toThrow('index: must be');
    expect(() => new ReembedVectorStore({ index: 'docs' } as never)).toThrow('client: must be');
  });

  test('keeps answering through an alias while a reindex changes the model', async () => {
    const { reembed } = system;
    await reembed.indexes.create('lc-v1', HASH);
    await reembed.aliases.set('lc-docs', 'lc-v1');
    const store = new ReembedVectorStore({ client: reembed, index: 'lc-docs' });
    await store.addDocuments([doc('a lion sleeps', { n: 1 }, 'a'), doc('the stock market fell', { n: 2 }, 'b')]);
    const destModel = { provider: 'words' } as const;
    const { status } = await reembed.tasks.reindex({ source: 'lc-docs', dest: 'lc-v2', destModel }, { wait: true });
    expect(status).toBe('done');
    expect(await store.similaritySearch('big cat', 1)).toEqual([doc('a lion sleeps', { n: 1 }, 'a')]);
  });

  test('reads the contents that a large response leaves out', async () => {
    const store = await emptyStore();
    const texts = Array.from({ length: 9 }, (_, at) => `${at} ${'word '.repeat(400_000)}`);
    await store.addDocuments(texts.map((text, at) => doc(text, { at }, `l${at}`)));
    const { hits } = await system.reembed.search(`lc-${stores}`, { text: 'word', limit: 9 });
    expect(hits.some(({ omitted }) => omitted?.includes('payload'))).toBe(true);
    const found = await store.similaritySearch('word', 9);
    expect(contents(found).sort()).toEqual(texts);
    expect(found.map(({ metadata }) => metadata.at).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('says so if the server cannot be reached', async () => {
    const client = createClient({ baseUrl: 'http://127.0.0.1:9' });
    const store = new ReembedVectorStore({ client, index: 'docs' });
    await expect(store.similaritySearch('foo')).rejects.toMatchObject({ type: 'ServerUnavailable' });
  });
});
