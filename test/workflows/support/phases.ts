import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Tracker } from '../../../src/contract/tasks.ts';
import type { ReindexInput } from '../../../src/contract/workflow-inputs.ts';
import { tablesOf } from '../../../src/store/partitions.ts';
import { holdGateShared } from '../../../src/store/protocol/gate.ts';
import { releaseLock } from '../../../src/store/protocol/lock-pair.ts';
import { buildVectorIndex } from '../../../src/store/vector-index.ts';
import { lockIn } from '../../store/builders.ts';
import { openTransaction, untilWaiting } from '../../store/concurrency.ts';
import { trackerWhen } from '../../support/rig.ts';
import type { Steered } from './steered-reindex.ts';

/** A reindex that is held in a phase until it is released. */
export interface Hold {
  /** Resolves when the reindex has reached the point where it is held. */
  reached(): Promise<void>;
  release(): Promise<void>;
}

export interface Phase {
  /** A description of the point, for titles. */
  step: string;
  /** As in the tracker. */
  phase: string;
  input?: Partial<ReindexInput>;
  /** Its status is `waiting` instead of `processing`. */
  waits?: boolean;
  /** Called before the reindex is started. */
  hold(steered: Steered): Promise<Hold>;
  /** Whether writers of the alias have to wait while it is held. */
  holdsWriters?: boolean;
  /** Where a pause that arrives there takes effect, and what the tracker shows then. */
  pause: { before: string; isThere(tracker: Tracker): boolean } | 'too late';
  /** How a cancel ends it: immediately, after the step that cannot be interrupted, or too late. */
  cancel: 'at once' | 'after the step' | 'too late';
  /** Number of objects that the destination lacks after that; null where it depends on timing. */
  behind: number | null;
}

const once = (release: () => Promise<void>) => {
  let released: Promise<void> | undefined;
  return () => {
    released ??= release();
    return released;
  };
};
const until = async ({ handle }: Steered, phase: string) => {
  await trackerWhen(handle, ({ data }) => data.phase === phase);
};

/** The model of the destination does not answer for these texts. */
function holdModel({ world }: Steered, pattern: RegExp): Hold {
  const { asked, release } = world.model.holdBack(pattern);
  return { reached: () => asked, release: once(async () => release()) };
}

/**
 * Another transaction holds what a statement of this phase needs. An HNSW index is built only after every transaction
 * that was there before: for later transactions, it is already built.
 */
async function holdStatement(
  steered: Steered,
  phase: string,
  work: Parameters<typeof openTransaction>[1],
): Promise<Hold> {
  const { db } = steered.world;
  if (['verify', 'cut-over'].includes(phase)) await buildVectorIndex(db, steered.dest, { memoryMb: 16 });
  const other = await openTransaction(db, work);
  return {
    async reached() {
      await until(steered, phase);
      await untilWaiting(db, 1);
    },
    release: once(() => other.rollback()),
  };
}

/** The HNSW index cannot be built while another transaction has this lock; writers continue. */
const holdIndexBuild = (steered: Steered) =>
  holdStatement(steered, 'index', (trx) =>
    sql`lock table ${tablesOf(steered.dest.no).parts} in share update exclusive mode`.execute(trx),
  );

/**
 * Verify removes from the destination what the source has forgotten: such an object appears, and is held, while the
 * first batch is copied. Whatever of it was there before is gone by then.
 */
async function holdVerify(steered: Steered): Promise<Hold> {
  const copying = holdModel(steered, /^text 0 of the source$/);
  let verifying: Hold | undefined;
  return {
    async reached() {
      await copying.reached();
      await steered.copyOfForgotten('forgotten');
      verifying = await holdStatement(steered, 'verify', (trx) =>
        sql`
          select from ${tablesOf(steered.dest.no).objects}
          where index_no = ${steered.dest.no} and object_id = 'forgotten'
          for update`.execute(trx),
      );
      await copying.release();
      await verifying.reached();
    },
    release: once(async () => {
      await copying.release();
      await verifying?.release();
    }),
  };
}

/** First held by `before`; there an object is written that nobody forwards, whose text the model does not answer. */
async function holdLateWrite(steered: Steered, phase: string, before: Hold): Promise<Hold> {
  const text = `written in time for ${phase}`;
  const model = holdModel(steered, new RegExp(text));
  return {
    async reached() {
      await before.reached();
      await steered.writeWithoutForward('late', text);
      await before.release();
      await model.reached();
      await until(steered, phase);
    },
    release: model.release,
  };
}

/** The phases of a reindex until the switch, each with the effect of a signal that arrives there. */
export const PHASES: readonly Phase[] = [
  {
    step: 'waiting for another reindex',
    phase: 'lock',
    input: { waitSeconds: 1 },
    waits: true,
    async hold(steered) {
      const { db } = steered.world;
      const { lock } = await lockIn(db, steered.source.name, `other-${randomUUID()}`, {
        taskId: 'somebody-else',
        destModel: steered.dest.model,
      });
      return {
        reached: async () => void (await trackerWhen(steered.handle, ({ status }) => status === 'waiting')),
        release: once(() => releaseLock(db, lock)),
      };
    },
    pause: { before: 'the next look', isThere: ({ data }) => data.phase === 'lock' },
    cancel: 'at once',
    behind: 31,
  },
  {
    step: 'taking the lock',
    phase: 'lock',
    hold: (steered) => holdStatement(steered, 'lock', (trx) => holdGateShared(trx, steered.source.no)),
    holdsWriters: true,
    pause: {
      before: 'the first slice',
      isThere: ({ data, children }) => data.phase === 'copy' && children.pending === 1,
    },
    cancel: 'after the step',
    behind: null,
  },
  {
    step: 'asking the model',
    phase: 'prepare',
    hold: async (steered) => holdModel(steered, /^hello$/),
    pause: {
      before: 'the first slice',
      isThere: ({ data, children }) => data.phase === 'copy' && children.pending === 1,
    },
    cancel: 'at once',
    behind: 28,
  },
  {
    step: 'copying',
    phase: 'copy',
    hold: async (steered) => holdModel(steered, /^text 25 /),
    pause: { before: 'the HNSW index', isThere: ({ data, children }) => data.phase === 'copy' && children.done === 1 },
    cancel: 'at once',
    behind: 10,
  },
  {
    step: 'building the HNSW index',
    phase: 'index',
    hold: holdIndexBuild,
    pause: {
      before: 'reconciling',
      isThere: ({ data }) => data.phase === 'reconcile' && data.reconciled === undefined,
    },
    cancel: 'at once',
    behind: 0,
  },
  {
    step: 'building the HNSW index on a half',
    phase: 'index',
    input: { indexBuild: 'split' },
    hold: holdIndexBuild,
    pause: {
      before: 'the other half',
      isThere: ({ data, progress }) => data.phase === 'copy' && progress.done < progress.total,
    },
    cancel: 'at once',
    behind: 15,
  },
  {
    step: 'reconciling',
    phase: 'reconcile',
    hold: async (steered) => holdLateWrite(steered, 'reconcile', await holdIndexBuild(steered)),
    pause: { before: 'verifying', isThere: ({ data }) => data.phase === 'reconcile' && data.reconciled === 1 },
    cancel: 'at once',
    behind: 1,
  },
  {
    step: 'verifying',
    phase: 'verify',
    hold: holdVerify,
    pause: { before: 'the switch', isThere: ({ data }) => data.phase === 'verify' && data.verified !== undefined },
    cancel: 'after the step',
    behind: 0,
  },
  {
    step: 'bringing the last few',
    phase: 'cut-over',
    hold: async (steered) => holdLateWrite(steered, 'cut-over', await holdVerify(steered)),
    pause: 'too late',
    cancel: 'at once',
    behind: 1,
  },
  {
    step: 'switching the alias',
    phase: 'cut-over',
    hold: (steered) =>
      holdStatement(steered, 'cut-over', (trx) =>
        sql`select from reembed.aliases where name = ${steered.alias} for update`.execute(trx),
      ),
    holdsWriters: true,
    pause: 'too late',
    cancel: 'too late',
    behind: null,
  },
];

/** For `test.each`: the steps with these properties, each preceded by its name. */
export function stepsWhere(fits: (phase: Phase) => boolean): [string, Phase][] {
  return PHASES.filter(fits).map((phase) => [phase.step, phase]);
}
