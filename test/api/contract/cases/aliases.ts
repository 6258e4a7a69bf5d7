import { randomUUID } from 'node:crypto';
import { findIndex } from '../../../../src/store/indexes.ts';
import { cutOver } from '../../../../src/store/protocol/cut-over.ts';
import type { IndexRow } from '../../../../src/store/schema.ts';
import { content, lockIn, writeIn } from '../../../store/builders.ts';
import type { Case } from '../case.ts';
import type { World } from '../world.ts';

/** A retired index that is kept current, but lacks the last write to the serving one. */
async function retiredBehind({ db, index, alias }: World): Promise<{ alias: string; retired: string }> {
  const [blue, green] = [await index(), await index()];
  const name = await alias(blue);
  const { lock, taskId, mark, sourceNo, destNo } = await lockIn(db, name, green);
  const mirror = { lock: randomUUID(), taskId, lockSeconds: 3_600 };
  await cutOver(db, { lock, sourceNo, destNo, mark, alias: name, mirror });
  await writeIn(db, (await findIndex(db, green)) as IndexRow, [content('a', 1)], { target: name });
  return { alias: name, retired: blue };
}

export const aliasCases: Case[] = [
  { operation: 'setAlias', expect: 200, given: async ({ index }) => ({ body: { index: await index() } }) },
  { operation: 'setAlias', expect: 'IndexNotFound', given: () => ({ body: { index: 'nowhere' } }) },
  {
    operation: 'setAlias',
    expect: 'NameTaken',
    given: async ({ index }) => ({ path: { alias: await index() }, body: { index: await index() } }),
  },
  {
    operation: 'setAlias',
    expect: 'IndexDeleting',
    given: async ({ deletingIndex }) => ({ body: { index: await deletingIndex() } }),
  },
  {
    operation: 'setAlias',
    expect: 'IndexLocked',
    given: async ({ lockedIndex }) => ({ path: { alias: 'locked' }, body: { index: (await lockedIndex()).dest } }),
  },
  {
    operation: 'setAlias',
    expect: 'NotCurrent',
    given: async (world) => {
      const { alias, retired } = await retiredBehind(world);
      return { path: { alias }, body: { index: retired } };
    },
  },
  {
    operation: 'setAlias',
    expect: 'NotCurrent',
    given: async ({ indexOfModel }) => ({
      body: { index: await indexOfModel({ name: 'm', dimensions: 8, baseUrl: 'http://127.0.0.1:1/v1' }) },
    }),
  },
  { operation: 'listAliases', expect: 200, given: async ({ alias, index }) => alias(await index()).then(() => ({})) },
  {
    operation: 'deleteAlias',
    expect: 204,
    given: async ({ alias, index }) => ({ path: { alias: await alias(await index()) } }),
  },
  { operation: 'deleteAlias', expect: 'AliasNotFound', given: () => ({ path: { alias: 'nowhere' } }) },
  {
    operation: 'deleteAlias',
    expect: 'IndexLocked',
    given: async ({ db, alias, index }) => {
      const name = await alias(await index());
      await lockIn(db, name, await index(), { lockSeconds: 3_600 });
      return { path: { alias: name } };
    },
  },
];
