import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelSchema } from '../../src/contract/models.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { type EmbeddingServer, startEmbeddingServer } from '../support/embedding-server.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal } from '../support/rig.ts';

/** The model reads this many words of a text, and tells only how many it has read. */
const WINDOW = 100;

describe('a model that cuts long texts in silence', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let server: EmbeddingServer;
  let rig: Rig;

  beforeAll(async () => {
    const tokensOf = (text: string) => Math.min(WINDOW, text.split(/\s+/).length);
    [environment, database, server] = await Promise.all([
      startTemporal('dev'),
      openPostgresDatabase(),
      startEmbeddingServer({ tokensOf }),
    ]);
    rig = await startRig({ environment, db: database.db });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await server?.close();
    await database?.close();
  });

  const model = () => modelSchema.parse({ provider: 'openai', name: 'cuts', dimensions: 8, baseUrl: server.url });
  const items = [
    { id: 'long', payload: Array.from({ length: 280 }, (_, at) => `word${at}`).join(' ') },
    { id: 'short', payload: 'a lion' },
  ];

  test('is named in the tracker of an upsert, and all of the text is embedded', async () => {
    await givenIndex(database.db, 'live', { config: { model: model() } });
    const tracker = await rig.run('upsert', { index: 'live', items });
    // The text, and both of its halves.
    expect(tracker).toMatchObject({ status: 'done', data: { written: 2, failed: 0, truncated: 3 } });
    expect(tracker.detail).toContain('3 texts that the model cut, split again');
    // Each word is in a text that the model has read to its end.
    const read = server.requests.flatMap(({ texts }) => texts).filter((text) => text.split(' ').length <= WINDOW);
    for (const word of items[0]?.payload.split(' ') ?? []) expect(read.join(' ').split(' ')).toContain(word);
    const again = await rig.run('upsert', { index: 'live', items: [{ id: 'other', payload: 'two tigers' }] });
    expect(again.data).not.toHaveProperty('truncated');
  });

  test('is counted in the usage of a reindex', async () => {
    await givenIndex(database.db, 'old', { alias: 'docs' });
    await rig.run('upsert', { index: 'docs', items });
    const tracker = await endOf(await rig.start('reindex', { source: 'docs', dest: 'new', destModel: model() }));
    expect(tracker).toMatchObject({ status: 'done', data: { verified: { failed: 0 }, usage: { truncated: 3 } } });
  });
});
