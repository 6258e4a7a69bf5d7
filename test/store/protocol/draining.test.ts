import { expect, it } from 'vitest';
import { setAlias } from '../../../src/store/aliases.ts';
import type { Db } from '../../../src/store/database.ts';
import { markChanges } from '../../../src/store/protocol/copy.ts';
import { cutOver } from '../../../src/store/protocol/cut-over.ts';
import { createDeadline, isWaitOver, setDraining, whileDraining } from '../../../src/store/protocol/draining.ts';
import { holdGateShared, holdGatesExclusive, lockNames } from '../../../src/store/protocol/gate.ts';
import { requireLock } from '../../../src/store/protocol/locks.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { content, createIndex, lockIn, uniqueName, write } from '../builders.ts';
import { openTransaction } from '../concurrency.ts';

async function lockedReindex(db: Db) {
  const [source, dest] = [await createIndex(db), await createIndex(db)];
  const alias = uniqueName('alias');
  await setAlias(db, alias, source.name);
  const { lock, mark } = await lockIn(db, alias, dest.name);
  return { source, dest, alias, lock, step: { lock, sourceNo: source.no, destNo: dest.no, mark, alias, mirror: null } };
}

const isWaitOverOf = (work: Promise<unknown>) => work.then(() => false, isWaitOver);

onBothDatabases((database, name) => {
  // The other database has one connection, so nothing there waits for another one.
  it.skipIf(name === 'pglite').each([
    ['the catalog', () => 0, lockNames],
    ['the gate of the destination', ({ dest }) => dest.no, holdGatesExclusive],
  ] as [string, (pair: { dest: { no: number } }) => number, typeof holdGatesExclusive][])(
    'draining releases writers at its deadline, even while another transaction holds %s',
    async (_what, indexOf, hold) => {
      const { db } = database();
      const { source, dest, alias, lock, step } = await lockedReindex(db);
      const holder = await openTransaction(db, (trx) => hold(trx, indexOf({ dest })));
      const deadline = createDeadline(300);
      expect(await isWaitOverOf(whileDraining(db, lock, deadline, () => cutOver(db, step, deadline)))).toBe(true);
      expect(await write(db, source, [content('a', 1)], { target: alias })).toMatchObject({ kind: 'written' });
      await holder.rollback();
    },
  );

  it.skipIf(name === 'pglite')(
    'draining does not queue for a gate beyond its deadline, where others would queue behind it',
    async () => {
      const { db } = database();
      const { source, alias, lock } = await lockedReindex(db);
      const writer = await openTransaction(db, (trx) => holdGateShared(trx, source.no));
      expect(await isWaitOverOf(setDraining(db, lock, 60, createDeadline(200)))).toBe(true);
      expect(await isWaitOverOf(markChanges(db, source.no, createDeadline(200)))).toBe(true);
      expect(await write(db, source, [content('a', 1)], { target: alias })).toMatchObject({ kind: 'written' });
      await writer.rollback();
    },
  );

  it('draining releases writers at its deadline, even while its work continues', async () => {
    const { db } = database();
    const { source, alias, lock } = await lockedReindex(db);
    const deadline = createDeadline(200);
    await whileDraining(db, lock, deadline, async () => {
      while ((await requireLock(db, lock)).draining) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(deadline.leftMs()).toBe(0);
      expect(await write(db, source, [content('a', 1)], { target: alias })).toMatchObject({ kind: 'written' });
    });
  });
});
