import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ReembedError } from '../../../src/contract/errors.ts';
import { countFailed } from '../../../src/store/staging.ts';
import { restartTask } from '../../../src/temporal/index.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal } from '../../support/rig.ts';

describe('a failed item that was overtaken by a newer version', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;
  let rejected = /$^/;

  beforeAll(async () => {
    [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
    rig = await startRig({
      environment,
      db: database.db,
      embedder: (_config, usual) => ({
        ...usual,
        async embed(texts, options) {
          if (texts.some((text) => rejected.test(text))) throw new ReembedError('ModelRejectedInput', 'not this one');
          return usual.embed(texts, options);
        },
      }),
    });
    await givenIndex(database.db, 'a');
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });

  test.each([
    ['fails again', true, true],
    ['fails again, of a restart of the failed ones alone', true, false],
    ['would be embedded now', false, true],
    ['would be embedded now, of a restart of the failed ones alone', false, false],
  ] as const)('is stale and no longer on the failed list when it %s', async (what, failsAgain, whole) => {
    const id = what.replaceAll(/\W/g, '-');
    const taskId = `task-${id}`;
    rejected = /old text/;
    const items = [{ id, payload: 'old text' }];
    expect(await rig.run('upsert', { index: 'a', items }, taskId)).toMatchObject({ data: { failed: 1 } });
    expect(await countFailed(database.db, taskId)).toBe(1);
    expect(await rig.run('upsert', { index: 'a', items: [{ id, payload: 'new' }] })).toMatchObject({ status: 'done' });
    if (!failsAgain) rejected = /$^/;
    await restartTask(rig.client, taskId, { onlyFailed: !whole });
    const again = await endOf(rig.client.workflow.getHandle(taskId));
    expect(again).toMatchObject({ status: 'done', attempts: 2, data: { written: 0, stale: 1, failed: 0 } });
    expect(await countFailed(database.db, taskId)).toBe(0);
  });
});
