import { createDeleteIndexActivities } from '../../src/activities/delete-index.ts';
import { admitItemsOnce, requireAccepted } from '../../src/store/admission.ts';
import { setAlias } from '../../src/store/aliases.ts';
import type { Db } from '../../src/store/database.ts';
import {
  markChanges,
  type Pair,
  readBehind,
  readByIds,
  readChanged,
  writeCopies,
} from '../../src/store/protocol/copy.ts';
import { cutOver } from '../../src/store/protocol/cut-over.ts';
import { setDraining } from '../../src/store/protocol/draining.ts';
import { findLack } from '../../src/store/protocol/lack.ts';
import { writeLive } from '../../src/store/protocol/live-write.ts';
import { renewLock } from '../../src/store/protocol/locks.ts';
import type { ObjectWrite } from '../../src/store/protocol/object-write.ts';
import { findOwnContent, removeLeftOvers } from '../../src/store/protocol/origins.ts';
import { syncFailed } from '../../src/store/protocol/repair.ts';
import { rollBack } from '../../src/store/protocol/roll-back.ts';
import { collectTombstones } from '../../src/store/protocol/tombstones.ts';
import { compareIndexes, differencesOf } from '../../src/store/protocol/verify.ts';

/** The functions of the product as the simulation calls them: a test may break one to see that this is detected. */
export const STEPS = {
  admit: admitItemsOnce,
  /** The key under which the items of one start of a workflow are staged. */
  stagingOf: (taskId: string, start: string): string => `${taskId}/${start}`,
  requireAccepted,
  /** What is written for an item that was overtaken before it was embedded. */
  overtaken: ({ id, version, accepted, ...object }: ObjectWrite): ObjectWrite[] => {
    const { originalId = null } = 'originalId' in object ? object : {};
    return [{ kind: 'overtaken', id, version, accepted, originalId }];
  },
  writeLive,
  markChanges,
  readBehind,
  readByIds,
  readChanged,
  writeCopies,
  syncFailed,
  renewLock,
  findOwnContent,
  removeLeftOvers,
  setDraining,
  cutOver,
  findLack,
  rollBack,
  setAlias,
  collectTombstones,
  /** Everything of the source is in the destination up to the mark, and nothing else. */
  verify: async (db: Db, pair: Pair, mark: number) => differencesOf(await compareIndexes(db, pair, mark)).length === 0,
  /** The version with which a forward writes. */
  forwardVersion: async (_db: Db, version: number): Promise<number> => version,
  markDeleting: (db: Db, request: { index: string; indexNo: number }) =>
    createDeleteIndexActivities({ background: db }).markDeleting({
      ...request,
      force: true,
      ownLock: null,
    }),
};
export type Steps = typeof STEPS;
