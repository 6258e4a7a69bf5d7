import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { createAdmitActivities } from '../../src/activities/admit.ts';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
import { admitItemsOnce, requireAccepted, requireWritable, whileBound } from '../../src/store/admission.ts';
import { dropAdmissions, forgetFailedOnce } from '../../src/store/admissions.ts';
import { transaction } from '../../src/store/database.ts';
import { dropIndex } from '../../src/store/drop-index.ts';
import { markDeleting } from '../../src/store/indexes.ts';
import { nextVersion } from '../../src/store/protocol/versions.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { countFailed, countStaged, finishStaged, recordFailed } from '../../src/store/staging.ts';
import { onBothDatabases } from '../support/databases.ts';
import { createIndex, uniqueName } from './builders.ts';

const failure = { objectId: 'x', stage: 'embed', reason: 'EmptyText', detail: 'why' } as const;
const counts = { written: 2, unchanged: 0, stale: 0, failed: 0 };

onBothDatabases((database) => {
  async function givenRequest(over: { version?: number; again?: boolean } = {}) {
    const taskId = uniqueName('task');
    const index = await createIndex(database().db);
    const items = [{ id: 'a' }, { id: 'b' }];
    const given = { version: null, again: false, ...over };
    return { taskId, staging: `${taskId}/start`, index, items, field: 'ids' as const, name: index.name, ...given };
  }

  async function remove({ name, no }: IndexRow): Promise<void> {
    const { db } = database();
    await transaction(db, (trx) => markDeleting(trx, name, { force: false }));
    await dropIndex(db, no);
  }

  it('a task that is admitted again, even concurrently, keeps its first version', async () => {
    const { db } = database();
    const request = await givenRequest();
    const first = await Promise.all([1, 2, 3].map(() => admitItemsOnce(db, request)));
    await nextVersion(db);
    const again = await admitItemsOnce(db, request);
    expect(first).toEqual([again, again, again]);
    expect(again).toMatchObject({ total: 2, staging: request.staging });
    expect(await countStaged(db, request.staging)).toBe(2);
  });

  it('a task that is admitted again stays bound to its first index, not to a later one of that name', async () => {
    const { db } = database();
    const request = await givenRequest();
    const { indexNo } = await admitItemsOnce(db, request);
    await remove(request.index);
    const index = await createIndex(db, { name: request.name });
    expect(index.no).not.toBe(indexNo);
    expect(await admitItemsOnce(db, { ...request, index })).toMatchObject({ indexNo: request.index.no });
    await expect(requireAccepted(db, request.name, indexNo)).rejects.toMatchObject({ type: 'IndexDeleted' });
  });

  it('a restart keeps the version and the index of its start, also if nobody could read its tracker', async () => {
    const { db } = database();
    const given = await givenRequest();
    const start = () => ({ ...given, staging: `${given.taskId}/${randomUUID()}` });
    const { version, indexNo } = await admitItemsOnce(db, start());
    await admitItemsOnce(db, { ...given, taskId: `${given.taskId}/x`, staging: `${given.taskId}/x/${randomUUID()}` });
    await remove(given.index);
    const index = await createIndex(db, { name: given.name });
    expect(await admitItemsOnce(db, { ...start(), index, again: true })).toMatchObject({ version, indexNo });
    const another = await admitItemsOnce(db, { ...start(), index });
    expect(another.indexNo).toBe(index.no);
    expect(another.version).toBeGreaterThan(version);
  });

  it('a step of a write that is bound to an index reports the index as deleted once its name is gone', async () => {
    const { db } = database();
    const request = await givenRequest();
    const { indexNo } = await admitItemsOnce(db, request);
    await remove(request.index);
    const step = () => requireWritable(db, request.name);
    await expect(whileBound(request.name, indexNo, step)).rejects.toMatchObject({ type: 'IndexDeleted' });
    await expect(whileBound(request.name, null, step)).rejects.toMatchObject({ type: 'IndexNotFound' });
  });

  it('a deletion that is admitted again stays bound to its first index', async () => {
    const { db } = database();
    const { index, taskId } = await givenRequest();
    const { admit } = createAdmitActivities({ db } as ActivityDependencies);
    const request = { taskId, chain: 'start', type: 'delete-index', input: { index: index.name } } as const;
    const admitted = () => admit({ ...request, version: null, again: false });
    const first = await admitted();
    expect(first.input).toMatchObject({ indexNo: index.no });
    await remove(index);
    await createIndex(db, { name: index.name });
    expect(await admitted()).toEqual(first);
  });

  it('another start of the same task has its own version and items', async () => {
    const { db } = database();
    const request = await givenRequest();
    const first = await admitItemsOnce(db, request);
    const second = await admitItemsOnce(db, { ...request, staging: `${request.taskId}/other`, items: [{ id: 'c' }] });
    expect(second.version).toBeGreaterThan(first.version);
    expect([await countStaged(db, first.staging), await countStaged(db, second.staging)]).toEqual([2, 1]);
  });

  it('a restarted task keeps the version of its earlier run', async () => {
    const { db } = database();
    const version = await nextVersion(db);
    await nextVersion(db);
    expect(await admitItemsOnce(db, await givenRequest({ version, again: true }))).toMatchObject({ version });
  });

  it('items that were written and dropped are not staged again', async () => {
    const { db } = database();
    const request = await givenRequest();
    const { version } = await admitItemsOnce(db, request);
    await finishStaged(db, request.staging, counts);
    expect(await admitItemsOnce(db, request)).toMatchObject({ version });
    expect(await countStaged(db, request.staging)).toBe(0);
  });

  it('only the first admission of a task clears the failed list of an earlier task with its id', async () => {
    const { db } = database();
    const request = await givenRequest();
    await recordFailed(db, request.taskId, [failure]);
    await admitItemsOnce(db, request);
    expect(await countFailed(db, request.taskId)).toBe(0);
    await recordFailed(db, request.taskId, [failure]);
    await admitItemsOnce(db, request);
    await forgetFailedOnce(db, request.taskId, request.staging);
    expect(await countFailed(db, request.taskId)).toBe(1);
  });

  it('a restarted task keeps its failed list', async () => {
    const { db } = database();
    const request = await givenRequest({ again: true });
    await recordFailed(db, request.taskId, [failure]);
    await admitItemsOnce(db, request);
    expect(await countFailed(db, request.taskId)).toBe(1);
  });

  it('old admissions are removed', async () => {
    const { db } = database();
    const request = await givenRequest();
    const { version } = await admitItemsOnce(db, request);
    await dropAdmissions(db, 60);
    expect(await admitItemsOnce(db, request)).toMatchObject({ version });
    await dropAdmissions(db, -60);
    expect((await admitItemsOnce(db, request)).version).toBeGreaterThan(version);
  });
});
