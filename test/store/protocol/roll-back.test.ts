import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { listAliases, setAlias } from '../../../src/store/aliases.ts';
import type { Db } from '../../../src/store/database.ts';
import { writeCopies } from '../../../src/store/protocol/copy.ts';
import { cutOver } from '../../../src/store/protocol/cut-over.ts';
import { listLocks } from '../../../src/store/protocol/locks.ts';
import type { ObjectWrite } from '../../../src/store/protocol/object-write.ts';
import { findRollBack, type RollBackStep, rollBack } from '../../../src/store/protocol/roll-back.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { content, createIndex, failure, lockIn, tombstone, uniqueName, writeIn } from '../builders.ts';

/** An alias that a reindex has switched from blue to green, a mirror that keeps blue current, and the step back. */
async function givenSwitched(db: Db) {
  const [blue, green] = [await createIndex(db), await createIndex(db)];
  const alias = uniqueName('alias');
  await setAlias(db, alias, blue.name);
  const { lock, mark } = await lockIn(db, alias, green.name);
  const mirror = { lock: randomUUID(), taskId: uniqueName('keeper'), lockSeconds: 60 };
  const switched = await cutOver(db, { lock, sourceNo: blue.no, destNo: green.no, mark, alias, mirror });
  if (switched.kind !== 'done') throw new Error('not switched');
  const next = { ...mirror, lock: randomUUID() };
  const who = { aliases: null, by: 'ada', reason: null };
  const step: RollBackStep = { lock: mirror.lock, mark: switched.mark, next, ...who };
  return { blue, green, alias, mirror, step };
}

const indexOf = async (db: Db, alias: string) => (await listAliases(db)).find((row) => row.alias === alias)?.index;

const locksOf = async (db: Db, taskId: string) => (await listLocks(db)).filter((lock) => lock.taskId === taskId);

onBothDatabases((database) => {
  describe('a roll back', () => {
    it('moves the alias, swaps the mirror, and counts what users wrote since the switch', async () => {
      const { db } = database();
      const { blue, green, alias, mirror, step } = await givenSwitched(db);
      const writes = [content('a', 1), content('b', 2), tombstone('c', 3)];
      await writeIn(db, green, writes, { target: alias });
      await writeCopies(db, mirror.lock, blue.no, writes);
      expect(await findRollBack(db, mirror.taskId)).toMatchObject({
        ...{ from: green.name, to: blue.name, aliases: [alias], written: 2, deleted: 1, isMore: false, last: null },
        pair: { sourceNo: green.no, destNo: blue.no },
      });
      expect(await rollBack(db, step)).toMatchObject({
        kind: 'done',
        report: { from: green.name, to: blue.name, aliases: [alias], written: 2, deleted: 1, by: 'ada' },
      });
      expect(await indexOf(db, alias)).toBe(blue.name);
      expect(await locksOf(db, mirror.taskId)).toMatchObject([
        { lock: step.next.lock, sourceNo: blue.no, destNo: green.no, mirror: true },
      ]);
      expect(await findRollBack(db, mirror.taskId)).toMatchObject({
        ...{ from: blue.name, to: green.name, written: 0, deleted: 0 },
        last: { from: green.name, to: blue.name, written: 2, deleted: 1 },
      });
    });

    it('is done once when its transaction is executed again', async () => {
      const { db } = database();
      const { blue, alias, mirror, step } = await givenSwitched(db);
      const first = await rollBack(db, step);
      await writeIn(db, blue, [content('a', 1)], { target: alias });
      const again = await rollBack(db, step);
      expect(first.kind === 'done' && again.kind === 'done' && again.report).toEqual(
        first.kind === 'done' && first.report,
      );
      expect(await indexOf(db, alias)).toBe(blue.name);
      expect(await locksOf(db, mirror.taskId)).toHaveLength(1);
    });

    it.each<[string, ObjectWrite[]]>([
      ['an object', []],
      ['the last version of an object', [content('a', 1)]],
      ['the vectors of an object', [failure('a', 2)]],
    ])('changes nothing while the other index lacks %s', async (_what, there) => {
      const { db } = database();
      const { blue, green, alias, mirror, step } = await givenSwitched(db);
      await writeIn(db, green, [content('a', 2)], { target: alias });
      await writeCopies(db, mirror.lock, blue.no, there);
      expect(await rollBack(db, step)).toMatchObject({ kind: 'lacking', lack: { examples: ['a'] } });
      expect(await indexOf(db, alias)).toBe(green.name);
      expect(await locksOf(db, mirror.taskId)).toMatchObject([{ lock: mirror.lock }]);
    });

    it('changes nothing once the mirror has ended', async () => {
      const { db } = database();
      const { blue, alias, step } = await givenSwitched(db);
      await setAlias(db, alias, blue.name);
      await expect(rollBack(db, step)).rejects.toMatchObject({ type: 'LockLost' });
    });

    it('is refused if it would move no alias', async () => {
      const { db } = database();
      const { step } = await givenSwitched(db);
      const none = rollBack(db, { ...step, aliases: [uniqueName('alias')] });
      await expect(none).rejects.toMatchObject({ type: 'RollBackRefused', reason: 'no-alias' });
    });

    it('moves at most a hundred aliases', async () => {
      const { db } = database();
      const { green, alias, step } = await givenSwitched(db);
      for (let at = 0; at < 100; at++) await setAlias(db, uniqueName('many'), green.name);
      await expect(rollBack(db, step)).rejects.toMatchObject({ type: 'RollBackRefused' });
      expect(await indexOf(db, alias)).toBe(green.name);
    });
  });
});
