import { createControlActivities } from '../../src/activities/control.ts';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
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
import { renewLock } from '../../src/store/protocol/locks.ts';
import { findOwnContent, removeLeftOvers } from '../../src/store/protocol/origins.ts';
import { syncFailed } from '../../src/store/protocol/repair.ts';
import { collectTombstones } from '../../src/store/protocol/tombstones.ts';
import { compareIndexes, differencesOf } from '../../src/store/protocol/verify.ts';
import { writeLive } from '../../src/store/protocol/write.ts';

/** The functions of the product as the simulation calls them: a test may break one to see that it is missed. */
export const STEPS = {
  admit: admitItemsOnce,
  /** Under what the items of one start of a workflow are staged. */
  stagingOf: (taskId: string, start: string): string => `${taskId}/${start}`,
  requireAccepted,
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
  setAlias,
  collectTombstones,
  /** Everything of the source is in the destination up to the mark, and nothing else. */
  verify: async (db: Db, pair: Pair, mark: number) => differencesOf(await compareIndexes(db, pair, mark)).length === 0,
  /** The version under which a forward writes. */
  forwardVersion: async (_db: Db, version: number): Promise<number> => version,
  markDeleting: (db: Db, request: { index: string; indexNo: number }) =>
    createControlActivities({ background: db, settings: {} } as unknown as ActivityDependencies).markDeleting({
      ...request,
      force: true,
      ownLock: null,
    }),
};
export type Steps = typeof STEPS;
