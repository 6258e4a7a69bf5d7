import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { ReembedError } from '../../src/contract/errors.ts';
import { readBehind } from '../../src/store/protocol/copy.ts';
import { listFailed } from '../../src/store/staging.ts';
import { givenPair, useActivities } from './world.ts';

const world = useActivities();

test('an object that is copied later is no longer on the failed list', async () => {
  const { request } = await givenPair(world.db);
  const { db } = world;
  world.embed = async (texts) => {
    if (texts[0] !== 'hello') throw new ReembedError('ModelRejectedInput', 'I cannot read this');
    return texts.map(() => [1, 2, 3]);
  };
  const slice = { ...request, after: null, until: null };
  const copy = () => new MockActivityEnvironment().run(world.activities.embed.copySlice, slice);
  const failed = () => listFailed(db, request.taskId, { after: null, limit: 10 });
  expect(await copy()).toMatchObject({ counts: { failed: 1 } });
  expect(await failed()).toMatchObject([{ objectId: 'a' }]);
  world.embed = undefined;
  expect(await copy()).toMatchObject({ counts: { copied: 1, failed: 0 } });
  expect(await failed()).toEqual([]);
  expect(await readBehind(db, request, { after: null, until: null }, 10)).toEqual({ objects: [], more: false });
});
