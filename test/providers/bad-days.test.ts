import type { TestWorkflowEnvironment } from '@temporalio/testing';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { wrapEmbedder } from '../../src/contract/embedder.ts';
import { createProcessModels } from '../../src/runtime/wiring.ts';
import { readSettings } from '../../src/settings/settings.ts';
import { openPgliteDatabase, type TestDatabase } from '../support/databases.ts';
import { type Rig, startRig, startTemporal } from '../support/rig.ts';
import { ROWS } from './bad-days.ts';
import { type Provider, startProvider } from './provider.ts';
import type { Row } from './rows.ts';
import { reindexOn, searchOn, type World, writeOn } from './uses.ts';

/** Rows that run at the same time. */
const AT_ONCE = 8;
const USES = { write: writeOn, reindex: reindexOn, search: searchOn };
/** Only rows with matching names. */
const only = process.env.ROWS;
const rows = ROWS.filter(({ name }) => only === undefined || new RegExp(only).test(name));

describe('the stored data, trackers and calls on a bad day of a provider match the table', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let provider: Provider;
  let rig: Rig;
  const running = new Map<Row, Record<keyof typeof USES, Promise<void>>>();

  beforeAll(async () => {
    [environment, database, provider] = await Promise.all([
      startTemporal('dev'),
      openPgliteDatabase(),
      startProvider(),
    ]);
    const models = createProcessModels(readSettings({}), database.db);
    const askedMs = new Map<string, number>();
    rig = await startRig({
      environment,
      db: database.db,
      embedder(config) {
        const usual = models.embedder(config);
        return wrapEmbedder(usual, (texts, options) => {
          if (!askedMs.has(config.name)) askedMs.set(config.name, Date.now());
          return usual.embed(texts, options);
        });
      },
      maxEmbedActivities: 100,
      settings: { maxConcurrentReindexes: 100 },
    });
    const world: World = { rig, db: database.db, provider, models, askedMs };
    const limit = pLimit(AT_ONCE);
    for (const [no, row] of rows.entries()) {
      let begin = () => {};
      const turn = new Promise<void>((resolve) => {
        begin = resolve;
      });
      const use = (kind: keyof typeof USES) => {
        const work = turn.then(() => USES[kind](world, row, `row-${no}`));
        work.catch(() => {}); // reported by its test
        return work;
      };
      const uses = { write: use('write'), reindex: use('reindex'), search: use('search') };
      running.set(row, uses);
      void limit(async () => {
        begin();
        await Promise.allSettled(Object.values(uses));
      });
    }
  });
  afterAll(async () => {
    await Promise.allSettled([...running.values()].flatMap((uses) => Object.values(uses)));
    await rig?.stop();
    await environment?.teardown();
    await provider?.close();
    await database?.close();
  });

  const named = rows.map((row): [string, Row] => [row.name, row]);
  describe.each(Object.keys(USES) as (keyof typeof USES)[])('a %s', (kind) => {
    test.each(named)('with %s', async (_name, row) => running.get(row)?.[kind], 300_000);
  });
});
