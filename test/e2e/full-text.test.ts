import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { transaction } from '../../src/store/database.ts';
import { findByText } from '../../src/store/full-text/find.ts';
import { resolveIndex } from '../../src/store/indexes.ts';
import { onBothDatabases } from '../support/databases.ts';
import { givenIndex, type Rig, startRig, startTemporal } from '../support/rig.ts';

const items = Array.from({ length: 60 }, (_, at) => ({
  id: `k${at}`,
  payload: at % 10 === 0 ? `the lions of chapter ${at}` : `a quiet text ${at}`,
}));

onBothDatabases((database) => {
  let environment: TestWorkflowEnvironment;
  let rig: Rig;

  beforeAll(async () => {
    environment = await startTemporal('dev');
    rig = await startRig({ environment, db: database().db });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
  });

  const idsWith = async (name: string, text: string) => {
    const { db } = database();
    const index = await resolveIndex(db, name);
    const query = { text, language: 'english' as const, limit: 100 };
    const { matches } = await transaction(db, (trx) => findByText(trx, index, query));
    return matches.map(({ id }) => id).sort();
  };

  test('a reindex adds full text to an index with the writes made meanwhile, and the next one removes it', async () => {
    const { db } = database();
    await givenIndex(db, 'plain', { alias: 'docs' });
    await rig.run('upsert', { index: 'docs', items });
    const running = await rig.start('reindex', {
      source: 'docs',
      dest: 'worded',
      destModel: { provider: 'hash', name: 'hash-v1', dimensions: 16 },
      destFullText: { language: 'english' },
      batchSize: 10,
      ratePerSecond: 30,
    });
    await rig.run('upsert', { index: 'docs', items: [{ id: 'k1', payload: 'one more lion' }] });
    await rig.run('delete', { index: 'docs', ids: ['k10'] });
    expect(await running.result()).toMatchObject({ status: 'done' });
    expect(await idsWith('docs', 'lion')).toEqual(['k0', 'k1', 'k20', 'k30', 'k40', 'k50']);

    await rig.run('upsert', { index: 'docs', items: [{ id: 'k2', payload: 'a lion after the switch' }] });
    expect(await idsWith('docs', 'switches')).toEqual(['k2']);

    await rig.run('reindex', {
      source: 'docs',
      dest: 'kept',
      destModel: { provider: 'hash', name: 'hash-v1', dimensions: 8 },
    });
    expect((await resolveIndex(db, 'docs')).fullText).toEqual({ language: 'english' });
    expect(await idsWith('docs', 'lion')).toHaveLength(7);

    await rig.run('reindex', {
      source: 'docs',
      dest: 'without',
      destModel: { provider: 'hash', name: 'hash-v1', dimensions: 4 },
      destFullText: null,
    });
    expect((await resolveIndex(db, 'docs')).fullText).toBeUndefined();
  });
});
