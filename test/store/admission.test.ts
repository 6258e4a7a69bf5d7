import { expect, it } from 'vitest';
import { admitItemsOnce } from '../../src/store/admission.ts';
import { dropAdmissions, forgetFailedOnce } from '../../src/store/admissions.ts';
import { nextVersion } from '../../src/store/protocol/versions.ts';
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
    return { taskId, staging: `${taskId}/start`, index, items, field: 'ids' as const, ...given };
  }

  it('a task that is admitted again, also at the same time, has the version that it was given first', async () => {
    const { db } = database();
    const request = await givenRequest();
    const first = await Promise.all([1, 2, 3].map(() => admitItemsOnce(db, request)));
    await nextVersion(db);
    const again = await admitItemsOnce(db, request);
    expect(first).toEqual([again, again, again]);
    expect(again).toMatchObject({ total: 2, staging: request.staging });
    expect(await countStaged(db, request.staging)).toBe(2);
  });

  it('another start of the same task has a version and items of its own', async () => {
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

  it('the failed list of an earlier task of the id is forgotten at the first admission, and by no later one', async () => {
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

  it('admissions are forgotten when they are old enough', async () => {
    const { db } = database();
    const request = await givenRequest();
    const { version } = await admitItemsOnce(db, request);
    await dropAdmissions(db, 60);
    expect(await admitItemsOnce(db, request)).toMatchObject({ version });
    await dropAdmissions(db, -60);
    expect((await admitItemsOnce(db, request)).version).toBeGreaterThan(version);
  });
});
