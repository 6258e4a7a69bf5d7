import { describe, expect, test } from 'vitest';
import { ReembedError } from '../../../src/contract/errors.ts';
import { listAliases } from '../../../src/store/aliases.ts';
import { findIndex } from '../../../src/store/indexes.ts';
import { getObject } from '../../../src/store/objects.ts';
import { listLocks } from '../../../src/store/protocol/locks.ts';
import { listFailed } from '../../../src/store/staging.ts';
import { endOf, trackerWhen } from '../../support/rig.ts';
import { rigOfFile } from '../../support/rig-of-file.ts';
import { destModel, givenPair } from './given.ts';

describe('a reindex whose model refuses texts, on a server whose clock runs ahead', () => {
  let poison: RegExp | undefined;
  /** Text that only the model of the destination rejects. */
  let newPoison: RegExp | undefined;
  const given = rigOfFile('time-skipping', {
    embedder: (config, usual) => ({
      ...usual,
      async embed(texts, options) {
        const isNew = config.dimensions === destModel.dimensions;
        if (texts.some((text) => poison?.test(text) || (isNew && newPoison?.test(text))))
          throw new ReembedError('ModelRejectedInput', 'I cannot read this');
        return usual.embed(texts, options);
      },
    }),
  });

  const givenSource = (count?: number) => givenPair(given.rig.db, given.rig, count);
  const aliasOf = async (alias: string) => (await listAliases(given.rig.db)).find((row) => row.alias === alias)?.index;

  test('copies an object that cannot be embedded as failed, and continues with the others', async () => {
    const { dest, alias } = await givenSource(50);
    poison = /^text 0 of/;
    const handle = await given.rig.start('reindex', { source: alias, dest, destModel, maxFailed: 1 });
    expect(await endOf(handle)).toMatchObject({
      status: 'done',
      data: { copied: 49, failed: 1, verified: { failed: 1 } },
    });
    const to = await findIndex(given.rig.db, dest);
    expect(to && (await getObject(given.rig.db, to, 'k0'))).toMatchObject({ failed: true, payload: 'text 0 of k' });
    expect(await listFailed(given.rig.db, handle.workflowId, { after: null, limit: 10 })).toMatchObject([
      { objectId: 'k0', stage: 'embed', reason: 'ModelRejectedInput' },
    ]);
    poison = undefined;
  });

  test('does not cut over when more objects fail than allowed, and releases the lock', async () => {
    const { source, dest, alias } = await givenSource(20);
    poison = /^text [0-4] of/;
    const tracker = await given.rig.run('reindex', { source: alias, dest, destModel, maxFailed: 0.2, maxAttempts: 1 });
    expect(tracker).toMatchObject({ status: 'exhausted', errors: [{ type: 'TooManyFailed' }] });
    expect(await aliasOf(alias)).toBe(source);
    expect(await listLocks(given.rig.db)).toEqual([]);
    poison = undefined;
    const again = await given.rig.run('reindex', { source: alias, dest, destModel, maxFailed: 0 });
    expect(again).toMatchObject({ status: 'done', data: { copied: 5, verified: { failed: 0 } } });
  });

  test('never moves the alias when every object fails, however few there are and whatever is allowed', async () => {
    for (const maxFailed of [undefined, 0.5, 100, -1]) {
      const { source, dest, alias } = await givenSource(1);
      poison = /^text/;
      const tracker = await given.rig.run('reindex', { source: alias, dest, destModel, maxFailed, maxAttempts: 1 });
      poison = undefined;
      expect(tracker).toMatchObject({
        status: 'exhausted',
        errors: [{ type: 'TooManyFailed', message: expect.stringContaining('none of 1 objects') }],
      });
      expect(await aliasOf(alias)).toBe(source);
    }
  });

  test('is done when one of a hundred objects fails, but not when two fail, unless more are allowed', async () => {
    const { dest, alias } = await givenSource(100);
    poison = /^text [01] of/;
    const two = await given.rig.run('reindex', { source: alias, dest, destModel, maxAttempts: 1 });
    expect(two).toMatchObject({ status: 'exhausted', errors: [{ type: 'TooManyFailed' }] });
    poison = /^text 0 of/;
    expect(await given.rig.run('reindex', { source: alias, dest, destModel })).toMatchObject({
      status: 'done',
      data: { verified: { failed: 1, source: 100, dest: 100 } },
    });
    // The source of the next reindex lacks its vectors too: that is not an error of the new model.
    expect(
      await given.rig.run('reindex', { source: alias, dest: `${dest}-next`, destModel, maxFailed: 0 }),
    ).toMatchObject({
      status: 'done',
      data: { verified: { failed: 1 } },
    });
    poison = undefined;
  });

  test('lists as failed an object that the forward of another task could not embed', async () => {
    const { source, dest, alias } = await givenSource(30);
    newPoison = /^only the new model/;
    const options = { batchSize: 1, ratePerSecond: 1, maxFailed: 5 };
    const handle = await given.rig.start('reindex', { source: alias, dest, destModel, ...options });
    await trackerWhen(handle, ({ progress }) => progress.done > 0);
    // Its key is before those that are being copied: only the forward brings it.
    await given.rig.run('upsert', { index: alias, items: [{ id: 'a0', payload: 'only the new model rejects this' }] });
    const from = await findIndex(given.rig.db, source);
    expect(from && (await getObject(given.rig.db, from, 'a0'))).toMatchObject({ failed: false });
    await handle.signal('throttle', null);
    expect(await endOf(handle)).toMatchObject({
      status: 'done',
      data: { verified: { source: 31, dest: 31, failed: 1 } },
    });
    expect(await listFailed(given.rig.db, handle.workflowId, { after: null, limit: 10 })).toMatchObject([
      { objectId: 'a0', stage: 'embed', reason: 'ModelRejectedInput' },
    ]);
    newPoison = undefined;
  });
});
