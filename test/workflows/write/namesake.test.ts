import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { acceptItems } from '../../../src/api/tasks/accept-items.ts';
import { acceptDeleteIndex } from '../../../src/api/tasks/accept-task.ts';
import { deleteIndexSchema, upsertSchema } from '../../../src/contract/task-bodies.ts';
import { admitItems } from '../../../src/store/admission.ts';
import { deleteAlias } from '../../../src/store/aliases.ts';
import { findIndex, resolveIndex } from '../../../src/store/indexes.ts';
import { listObjects } from '../../../src/store/objects.ts';
import { restartTask } from '../../../src/temporal/index.ts';
import { endOf, givenIndex, trackerWhen } from '../../support/rig.ts';
import { rigOfFile } from '../../support/rig-of-file.ts';

describe('a new index with the name of a deleted one', () => {
  const given = rigOfFile('dev');

  async function replace(name: string): Promise<void> {
    expect(await given.rig.run('delete-index', { index: name, force: true })).toMatchObject({ status: 'done' });
    await givenIndex(given.rig.db, name);
  }
  const objectsOf = async (name: string) =>
    (await listObjects(given.rig.db, await resolveIndex(given.rig.db, name), { after: null, limit: 10 })).objects;
  const deps = () => ({ client: given.rig.client, db: given.rig.db, taskQueue: given.rig.taskQueue });

  /** An index whose deletion waits for a day. */
  async function givenWaitingDeletion(name: string, how: string): Promise<WorkflowHandle> {
    await givenIndex(given.rig.db, name);
    const input = { index: name, after: '24h' };
    const handle =
      how === 'by hand'
        ? await given.rig.start('delete-index', input)
        : given.rig.client.workflow.getHandle((await acceptDeleteIndex(deps(), deleteIndexSchema.parse(input))).id);
    await trackerWhen(handle, ({ status }) => status === 'waiting');
    return handle;
  }

  test('does not get a write that was accepted for the deleted one', async () => {
    const index = await givenIndex(given.rig.db, 'written');
    const items = [{ id: 'a', payload: 'for the first one' }];
    const accepted = await admitItems(given.rig.db, {
      ...{ staging: 'written/1', index, name: 'written', items, field: 'items' as const },
    });
    await replace('written');
    expect(await given.rig.run('upsert', { index: 'written' }, undefined, { accepted })).toMatchObject({
      status: 'refused',
      errors: [{ type: 'IndexDeleted' }],
    });
    expect(await objectsOf('written')).toEqual([]);
  });

  test('gets a write that was accepted for an alias that now points to it', async () => {
    const index = await givenIndex(given.rig.db, 'aliased', { alias: 'live' });
    const items = [{ id: 'a', payload: 'for the alias' }];
    const accepted = await admitItems(given.rig.db, {
      ...{ staging: 'aliased/1', index, name: 'live', items, field: 'items' as const },
    });
    await replace('aliased');
    await givenIndex(given.rig.db, 'aliased', { alias: 'live' });
    expect(await given.rig.run('upsert', { index: 'live' }, undefined, { accepted })).toMatchObject({ status: 'done' });
    expect(await objectsOf('aliased')).toMatchObject([{ id: 'a' }]);
  });

  test('does not get a write that was accepted for an alias with its name', async () => {
    const index = await givenIndex(given.rig.db, 'behind-it', { alias: 'name' });
    const items = [{ id: 'a', payload: 'for the alias' }];
    const accepted = await admitItems(given.rig.db, {
      ...{ staging: 'name/1', index, name: 'name', items, field: 'items' as const },
    });
    await deleteAlias(given.rig.db, 'name');
    await givenIndex(given.rig.db, 'name');
    expect(await given.rig.run('upsert', { index: 'name' }, undefined, { accepted })).toMatchObject({
      errors: [{ type: 'IndexDeleted' }],
    });
    expect(await objectsOf('name')).toEqual([]);
  });

  test('has its own number, which an accepted write carries unless it names an alias', async () => {
    const index = await givenIndex(given.rig.db, 'named', { alias: 'to-named' });
    const boundOf = async (name: string) => {
      const body = upsertSchema.parse({ index: name, items: [{ id: 'a', payload: 'text' }] });
      const { id } = await acceptItems(deps(), { type: 'upsert', body });
      const [event] = (await given.rig.client.workflow.getHandle(id).fetchHistory()).events ?? [];
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
      const handle = await givenWaitingDeletion(name, how);
      await replace(name);
      await handle.signal('restart');
      expect(await endOf(handle)).toMatchObject({ status: 'refused', errors: [{ type: 'IndexDeleted' }] });
      expect(await findIndex(given.rig.db, name)).toMatchObject({ state: 'active' });
    },
  );

  test.each(['by the API', 'by hand'])(
    'is not deleted by the restart of a canceled deletion of the old one, started %s',
    async (how) => {
      const name = how === 'by hand' ? 'restarted-by-hand' : 'restarted';
      const handle = await givenWaitingDeletion(name, how);
      await handle.signal('cancel');
      expect(await endOf(handle)).toMatchObject({ status: 'canceled' });
      await replace(name);
      await restartTask(given.rig.client, handle.workflowId);
      const again = given.rig.client.workflow.getHandle(handle.workflowId);
      await trackerWhen(again, ({ status }) => status === 'waiting');
      await again.signal('restart');
      expect(await endOf(again)).toMatchObject({ status: 'refused', errors: [{ type: 'IndexDeleted' }] });
      expect(await findIndex(given.rig.db, name)).toMatchObject({ state: 'active' });
    },
  );

  test('does not get the items of a write of the old one that is restarted', async () => {
    await givenIndex(given.rig.db, 'rewritten');
    const items = [{ id: 'a', payload: '' }];
    const input = { index: 'rewritten', items, ignoreFailedItems: false, maxAttempts: 1 };
    const handle = await given.rig.start('upsert', input);
    expect(await endOf(handle)).toMatchObject({ status: 'exhausted' });
    await replace('rewritten');
    await restartTask(given.rig.client, handle.workflowId, { force: true });
    const again = given.rig.client.workflow.getHandle(handle.workflowId);
    expect(await endOf(again)).toMatchObject({ status: 'refused', errors: [{ type: 'IndexDeleted' }, {}] });
  });

  test('is not the source of a restarted reindex of the old one', async () => {
    await givenIndex(given.rig.db, 'rebuilt');
    await givenIndex(given.rig.db, 'built');
    const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;
    const handle = await given.rig.start('reindex', { source: 'rebuilt', dest: 'built', destModel });
    expect(await endOf(handle)).toMatchObject({ status: 'failed', errors: [{ type: 'IndexExists' }] });
    await replace('rebuilt');
    await given.rig.run('delete-index', { index: 'built' });
    await restartTask(given.rig.client, handle.workflowId);
    const again = given.rig.client.workflow.getHandle(handle.workflowId);
    expect(await endOf(again)).toMatchObject({ status: 'refused', errors: [{ type: 'IndexDeleted' }, {}] });
    expect(await findIndex(given.rig.db, 'built')).toBeUndefined();
  });

  test('keeps its vector index when the change of that of the old one is restarted', async () => {
    await givenIndex(given.rig.db, 'changed');
    const handle = await given.rig.start('vector-index', { index: 'changed', vectorIndex: { dimensions: 40 } });
    expect(await endOf(handle)).toMatchObject({ status: 'failed', errors: [{ type: 'InvalidInput' }] });
    await given.rig.run('delete-index', { index: 'changed' });
    await givenIndex(given.rig.db, 'changed', { config: { model: { provider: 'hash', dimensions: 64 } } });
    await restartTask(given.rig.client, handle.workflowId);
    const again = given.rig.client.workflow.getHandle(handle.workflowId);
    expect(await endOf(again)).toMatchObject({ status: 'refused', errors: [{ type: 'IndexDeleted' }, {}] });
    expect((await findIndex(given.rig.db, 'changed'))?.vectorIndex).toBeUndefined();
  });
});
