import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acceptItems } from '../../../src/api/tasks/accept-items.ts';
import { acceptDeleteIndex } from '../../../src/api/tasks/accept-task.ts';
import { deleteIndexSchema, upsertSchema } from '../../../src/contract/task-bodies.ts';
import { admitItems } from '../../../src/store/admission.ts';
import { deleteAlias } from '../../../src/store/aliases.ts';
import { findIndex, resolveIndex } from '../../../src/store/indexes.ts';
import { listObjects } from '../../../src/store/objects.ts';
import { restartTask } from '../../../src/temporal/index.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';

describe('a new index with the name of a deleted one', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;

  beforeAll(async () => {
    [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
    rig = await startRig({ environment, db: database.db });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });

  async function replace(name: string): Promise<void> {
    expect(await rig.run('delete-index', { index: name, force: true })).toMatchObject({ status: 'done' });
    await givenIndex(database.db, name);
  }
  const objectsOf = async (name: string) =>
    (await listObjects(database.db, await resolveIndex(database.db, name), { after: null, limit: 10 })).objects;
  const deps = () => ({ client: rig.client, db: database.db, taskQueue: rig.taskQueue });

  test('does not get a write that was accepted for the deleted one', async () => {
    const index = await givenIndex(database.db, 'written');
    const items = [{ id: 'a', payload: 'for the first one' }];
    const accepted = await admitItems(database.db, {
      ...{ staging: 'written/1', index, name: 'written', items, field: 'items' as const },
    });
    await replace('written');
    expect(await rig.run('upsert', { index: 'written' }, undefined, { accepted })).toMatchObject({
      status: 'refused',
      errors: [{ type: 'IndexDeleted' }],
    });
    expect(await objectsOf('written')).toEqual([]);
  });

  test('gets a write that was accepted for an alias that now points to it', async () => {
    const index = await givenIndex(database.db, 'aliased', { alias: 'live' });
    const items = [{ id: 'a', payload: 'for the alias' }];
    const accepted = await admitItems(database.db, {
      ...{ staging: 'aliased/1', index, name: 'live', items, field: 'items' as const },
    });
    await replace('aliased');
    await givenIndex(database.db, 'aliased', { alias: 'live' });
    expect(await rig.run('upsert', { index: 'live' }, undefined, { accepted })).toMatchObject({ status: 'done' });
    expect(await objectsOf('aliased')).toMatchObject([{ id: 'a' }]);
  });

  test('does not get a write that was accepted for an alias with its name', async () => {
    const index = await givenIndex(database.db, 'behind-it', { alias: 'name' });
    const items = [{ id: 'a', payload: 'for the alias' }];
    const accepted = await admitItems(database.db, {
      ...{ staging: 'name/1', index, name: 'name', items, field: 'items' as const },
    });
    await deleteAlias(database.db, 'name');
    await givenIndex(database.db, 'name');
    expect(await rig.run('upsert', { index: 'name' }, undefined, { accepted })).toMatchObject({
      errors: [{ type: 'IndexDeleted' }],
    });
    expect(await objectsOf('name')).toEqual([]);
  });

  test('has its own number, which an accepted write carries unless it names an alias', async () => {
    const index = await givenIndex(database.db, 'named', { alias: 'to-named' });
    const boundOf = async (name: string) => {
      const body = upsertSchema.parse({ index: name, items: [{ id: 'a', payload: 'text' }] });
      const { id } = await acceptItems(deps(), { type: 'upsert', body });
      const [event] = (await rig.client.workflow.getHandle(id).fetchHistory()).events ?? [];
      const [, payload] = event?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
      return JSON.parse(Buffer.from(payload?.data ?? []).toString()).accepted.indexNo;
    };
    expect(await boundOf('named')).toBe(index.no);
    expect(await boundOf('to-named')).toBeNull();
  });

  test.each(['by the API', 'by hand'])(
    'is not deleted by a waiting deletion of the old one, started %s',
    async (how) => {
      const name = how === 'by hand' ? 'kept-by-hand' : 'kept';
      await givenIndex(database.db, name);
      const body = deleteIndexSchema.parse({ index: name, after: '24h' });
      const handle =
        how === 'by hand'
          ? await rig.start('delete-index', { index: name, after: '24h' })
          : rig.client.workflow.getHandle((await acceptDeleteIndex(deps(), body)).id);
      await trackerWhen(handle, ({ status }) => status === 'waiting');
      await replace(name);
      await handle.signal('restart');
      expect(await endOf(handle)).toMatchObject({ status: 'refused', errors: [{ type: 'IndexDeleted' }] });
      expect(await findIndex(database.db, name)).toMatchObject({ state: 'active' });
    },
  );

  test.each(['by the API', 'by hand'])(
    'is not deleted by the restart of a canceled deletion of the old one, started %s',
    async (how) => {
      const name = how === 'by hand' ? 'restarted-by-hand' : 'restarted';
      await givenIndex(database.db, name);
      const body = deleteIndexSchema.parse({ index: name, after: '24h' });
      const handle =
        how === 'by hand'
          ? await rig.start('delete-index', { index: name, after: '24h' })
          : rig.client.workflow.getHandle((await acceptDeleteIndex(deps(), body)).id);
      await trackerWhen(handle, ({ status }) => status === 'waiting');
      await handle.signal('cancel');
      expect(await endOf(handle)).toMatchObject({ status: 'canceled' });
      await replace(name);
      await restartTask(rig.client, handle.workflowId);
      const again = rig.client.workflow.getHandle(handle.workflowId);
      await trackerWhen(again, ({ status }) => status === 'waiting');
      await again.signal('restart');
      expect(await endOf(again)).toMatchObject({ status: 'refused', errors: [{ type: 'IndexDeleted' }] });
      expect(await findIndex(database.db, name)).toMatchObject({ state: 'active' });
    },
  );

  test('does not get the items of a write of the old one that is restarted', async () => {
    await givenIndex(database.db, 'rewritten');
    const items = [{ id: 'a', payload: '' }];
    const input = { index: 'rewritten', items, ignoreFailedItems: false, maxAttempts: 1 };
    const handle = await rig.start('upsert', input);
    expect(await endOf(handle)).toMatchObject({ status: 'exhausted' });
    await replace('rewritten');
    await restartTask(rig.client, handle.workflowId, { force: true });
    const again = rig.client.workflow.getHandle(handle.workflowId);
    expect(await endOf(again)).toMatchObject({ status: 'refused', errors: [{ type: 'IndexDeleted' }, {}] });
  });
});
