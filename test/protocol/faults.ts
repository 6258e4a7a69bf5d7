import fc from 'fast-check';
import { sql } from 'kysely';
import { admitItems, requireAccepted } from '../../src/store/admission.ts';
import { type Db, transaction } from '../../src/store/database.ts';
import { findIndex, resolveIndex } from '../../src/store/indexes.ts';
import type { BehindPage } from '../../src/store/protocol/copy.ts';
import { judgeByHighest } from '../../src/store/protocol/judge.ts';
import { requireLock } from '../../src/store/protocol/locks.ts';
import { insertMirror } from '../../src/store/protocol/mirrors.ts';
import { compareIndexes } from '../../src/store/protocol/verify.ts';
import { nextVersion } from '../../src/store/protocol/versions.ts';
import { forgetOriginals, hasMirror, keepExpiredLocks, rememberHighest, withoutGates } from './rewriting.ts';
import { type Scenario, scenarioOf, writersOf } from './scenario.ts';
import { STEPS, type Steps } from './steps.ts';
import { KEYS } from './world.ts';

/** Switches immediately, without checking what is behind. */
const switchUnchecked: Steps['cutOver'] = async (db, { lock, destNo, alias, mark }) => {
  await transaction(db, async (trx) => {
    await sql`update reembed.aliases set index_no = ${destNo} where name = ${alias}`.execute(trx);
    await sql`delete from reembed.reindex_locks where lock = ${lock}::uuid`.execute(trx);
  });
  return { kind: 'done', mark };
};

const withoutDeleted = <T extends { deleted: boolean }>(objects: T[]) => objects.filter(({ deleted }) => !deleted);
const pageWithoutDeleted = ({ objects, more }: BehindPage): BehindPage => ({ objects: withoutDeleted(objects), more });

/** Compares only while a lock says that the index is kept current; moving back ends this for all aliases. */
const moveByMirror: Steps['setAlias'] = async (db, alias, index, options) => {
  const from = (await resolveIndex(db, alias)).no;
  const to = (await findIndex(db, index))?.no ?? 0;
  if (!(await hasMirror(db, from, to))) return STEPS.setAlias(db, alias, index, { ...options, force: true });
  const moved = await STEPS.setAlias(db, alias, index, options);
  await sql`delete from reembed.reindex_locks where mirror and source_no = ${from} and dest_no = ${to}`.execute(db);
  return moved;
};

/** Rolls back immediately, without checking what is behind. */
const rollBackUnchecked: Steps['rollBack'] = async (db, step) => {
  const { sourceNo, destNo } = await requireLock(db, step.lock);
  const { names } = await transaction(db, async (trx) => {
    const { rows } = await sql<{ name: string }>`
      update reembed.aliases set index_no = ${destNo} where index_no = ${sourceNo} returning name`.execute(trx);
    await sql`delete from reembed.reindex_locks where lock = ${step.lock}::uuid`.execute(trx);
    await insertMirror(trx, { sourceNo: destNo, destNo: sourceNo }, step.next, { since: 0 });
    return { names: rows.map(({ name }) => name) };
  });
  const report = { from: '', to: '', aliases: names, time: '', written: 0, deleted: 0, isMore: false };
  return { kind: 'done', mark: step.mark, report: { ...report, by: null, reason: null } };
};

/** Judges every write by the highest removed version of any object. */
const writeByHighest: Steps['writeLive'] = async (db, request) => {
  const index = await resolveIndex(db, request.target);
  const { decided, beyondRetention } = await transaction(db, (trx) => judgeByHighest(trx, index, request.objects));
  const outcome = await STEPS.writeLive(db, {
    ...request,
    finishes: null,
    objects: request.objects.filter(({ id }) => !decided.has(id)),
  });
  return outcome.kind === 'written' ? { ...outcome, beyondRetention } : outcome;
};

const nothingOwn: Steps['findOwnContent'] = async () => ({ newer: 0, unknown: 0, examples: [] });
const copyUnlisted: Steps['writeCopies'] = (db, lock, destNo, objects, deletedOnce) =>
  STEPS.writeCopies(db, lock, destNo, objects, deletedOnce);
const notOwn: Steps['removeLeftOvers'] = (db, lock, pair, options) =>
  STEPS.removeLeftOvers(db, lock, pair, { ...options, own: false });
const onlyBehind: Steps['verify'] = async (db, pair, mark) => (await compareIndexes(db, pair, mark)).behind === 0;

export interface Fault {
  what: string;
  steps?: Partial<Steps>;
  breakDatabase?: (db: Db) => Db;
  scenario: fc.Arbitrary<Scenario>;
  /** The expected finding, in the words of the simulation. */
  found: RegExp;
  /** A seed with which the simulation is known to meet the fault soon. */
  seed: number;
}

const WRONG = /is lost|is stale|is resurrected|I4/;
const plain = scenarioOf({}, []);
const byHand = scenarioOf({}, [], { writers: writersOf({ byHand: fc.constant(true) }) });
const keptCurrent = fc.array(
  fc.record({
    into: fc.constant('new' as const),
    replaces: fc.constant(false),
    passes: fc.constant(1),
    turns: fc.constant(0),
  }),
  { minLength: 1, maxLength: 2 },
);
const rolledBack = fc.array(
  fc.record({
    into: fc.constant('new' as const),
    replaces: fc.constant(false),
    passes: fc.constant(1),
    turns: fc.constant(3),
  }),
  { minLength: 1, maxLength: 2 },
);
const intoAnother = fc.array(
  fc.record({
    into: fc.constant('another' as const),
    replaces: fc.constant(false),
    passes: fc.constant(null),
    turns: fc.constant(0),
  }),
  { minLength: 1, maxLength: 2 },
);
/** b is deleted before its original is known, c is derived from b; then a is deleted, the original of both. */
const late: [string, number | null][][] = [
  [['b', 0]],
  [['b', null]],
  [
    ['c', 0],
    ['c', 1],
    ['a', null],
  ],
];
const lateOriginal: fc.Arbitrary<Scenario['writers']> = fc.constant(
  late.map((batches) =>
    batches.map(([id, text]) => ({
      changes: [{ key: KEYS.indexOf(id), text }],
      byHand: false,
      target: 'first' as const,
    })),
  ),
);
const triesInSpare = fc.array(
  fc.record({ do: fc.constant('try' as const), to: fc.constant(1), key: fc.nat(4), text: fc.nat(1) }),
  { minLength: 3, maxLength: 5 },
);
const movesToSpare = fc.array(
  fc.record({
    do: fc.constant('move' as const),
    alias: fc.constant(0),
    to: fc.constant(1),
    expires: fc.constant(true),
  }),
  { minLength: 3, maxLength: 6 },
);

/**
 * The protocol with one rule left out or done wrong, as it once was. Each variant loses, resurrects or keeps stale
 * what users wrote, or serves or hides what it must not. Rules of workflows are not here: that signals pass from one
 * run to the next is checked in test/workflows/reindex/hand-over.test.ts, with a signal at each moment of the transition.
 */
export const FAULTS: readonly Fault[] = [
  {
    what: 'without gates',
    breakDatabase: withoutGates,
    scenario: plain,
    found: WRONG,
    seed: 2,
  },
  {
    what: 'with a new version for each forward',
    steps: { forwardVersion: (db) => nextVersion(db) },
    scenario: plain,
    found: WRONG,
    seed: 1,
  },
  {
    what: 'with a cut-over that neither drains nor checks',
    steps: { setDraining: async () => {}, cutOver: switchUnchecked },
    scenario: plain,
    found: WRONG,
    seed: 1,
  },
  {
    what: 'without copies of tombstones',
    steps: {
      readBehind: async (...args) => pageWithoutDeleted(await STEPS.readBehind(...args)),
      readByIds: async (...args) => withoutDeleted(await STEPS.readByIds(...args)),
      readChanged: async (...args) => pageWithoutDeleted(await STEPS.readChanged(...args)),
      verify: async () => true,
      cutOver: switchUnchecked,
    },
    scenario: plain,
    found: WRONG,
    seed: 1,
  },
  {
    what: 'with one staging for all starts of an id',
    steps: { stagingOf: (taskId) => taskId },
    scenario: byHand,
    found: WRONG,
    seed: 1,
  },
  {
    what: 'into destinations with content of their own, and compares one direction only',
    steps: { findOwnContent: nothingOwn, removeLeftOvers: notOwn, verify: onlyBehind },
    scenario: scenarioOf({}, [], { rebuilds: intoAnother, actions: triesInSpare }),
    found: /content of a destination's own serves|is lost/,
    seed: 3,
  },
  {
    what: 'with roll-backs that trust the absence of a mirror',
    steps: { setAlias: moveByMirror },
    scenario: scenarioOf({}, ['move', 'expire', 'collect'], { rebuilds: keptCurrent }),
    found: WRONG,
    seed: 3,
  },
  {
    what: 'with roll-backs of one alias that end the mirror of two',
    steps: { setAlias: moveByMirror },
    scenario: scenarioOf({ hasTwoAliases: true }, ['move'], { rebuilds: keptCurrent }),
    found: WRONG,
    seed: 1,
  },
  {
    what: 'with roll backs that neither drain nor check',
    steps: { setDraining: async () => {}, rollBack: rollBackUnchecked },
    scenario: scenarioOf({}, [], { rebuilds: rolledBack }),
    found: WRONG,
    seed: 1,
  },
  {
    what: 'with expired locks that come back after an alias has moved',
    breakDatabase: keepExpiredLocks,
    scenario: scenarioOf({}, [], { rebuilds: intoAnother, actions: movesToSpare }),
    found: /which serves, is refused/,
    seed: 1,
  },
  {
    what: 'without a list of what copies could not embed',
    steps: { writeCopies: copyUnlisted, syncFailed: async () => {} },
    scenario: scenarioOf({}, [], { writers: writersOf({ key: fc.constantFrom(3, 4), text: fc.constant(1) }) }),
    found: /has no vectors and is on no list/,
    seed: 1,
  },
  {
    what: 'with versions of different objects compared with each other',
    steps: { writeLive: writeByHighest },
    breakDatabase: rememberHighest,
    scenario: scenarioOf({ isExternal: true }, ['collect']),
    found: /is refused for good/,
    seed: 2,
  },
  {
    what: 'with a new version for each execution of a step',
    steps: { admit: (db, request) => admitItems(db, request) },
    scenario: byHand,
    found: WRONG,
    seed: 1,
  },
  {
    what: 'with originals that the destination never learns',
    breakDatabase: forgetOriginals,
    scenario: scenarioOf({ isDerived: true }, [], { writers: lateOriginal }),
    found: /is resurrected/,
    seed: 2,
  },
  {
    what: 'with items that leave no trace where they were overtaken before they were embedded',
    steps: { overtaken: () => [] },
    scenario: scenarioOf({ isDerived: true }, [], { writers: lateOriginal }),
    found: /is resurrected/,
    seed: 2,
  },
  {
    what: 'with writes that go to whatever has the name',
    steps: { requireAccepted: (db, name) => requireAccepted(db, name, undefined) },
    scenario: scenarioOf({}, ['replace'], { writers: writersOf({ target: fc.constant('side') }) }),
    found: /in a namesake/,
    seed: 1,
  },
  {
    what: 'with deletions that delete whatever has the name',
    steps: { markDeleting: (db, { index }) => STEPS.markDeleting(db, { index, indexNo: null as never }) },
    scenario: scenarioOf({}, ['replace']),
    found: /a namesake is deleted/,
    seed: 1,
  },
];
