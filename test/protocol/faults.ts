import { type KyselyPlugin, RawNode, sql } from 'kysely';
import { type Db, transaction } from '../../src/store/database.ts';
import { nextVersion } from '../../src/store/protocol/versions.ts';
import { STEPS, type Steps } from './simulation.ts';

const GATE_CLASS = String(0x7265_656d);

/** Leaves out every statement that takes a gate, shared or exclusive. */
const withoutGates: KyselyPlugin = {
  transformQuery: ({ node }) =>
    node.kind === 'RawNode' && JSON.stringify(node).includes(GATE_CLASS) ? RawNode.createWithSql('select 1') : node,
  transformResult: async ({ result }) => result,
};

/** Switches at once, without a look at what is behind. */
const switchUnchecked: Steps['cutOver'] = async (db, { lock, destNo, alias, mark }) => {
  await transaction(db, async (trx) => {
    await sql`update reembed.aliases set index_no = ${destNo} where name = ${alias}`.execute(trx);
    await sql`delete from reembed.reindex_locks where lock = ${lock}::uuid`.execute(trx);
  });
  return { kind: 'done', mark };
};

const withoutDeleted = <T extends { deleted: boolean }>(objects: T[]) => objects.filter(({ deleted }) => !deleted);

interface Fault {
  what: string;
  steps: Steps;
  breakDatabase?: (db: Db) => Db;
  /** One with which the simulation is known to meet the fault soon. */
  seed: number;
}

/** The protocol with one thing left out or done wrong: each loses, resurrects or keeps stale what users wrote. */
export const FAULTS: readonly Fault[] = [
  { what: 'without gates', steps: STEPS, breakDatabase: (db) => db.withPlugin(withoutGates), seed: 1 },
  {
    what: 'with a new version for each forward',
    steps: { ...STEPS, forwardVersion: (db) => nextVersion(db) },
    seed: 2,
  },
  {
    what: 'with a cut-over that neither drains nor checks',
    steps: { ...STEPS, setDraining: async () => {}, cutOver: switchUnchecked },
    seed: 2,
  },
  {
    what: 'without copies of tombstones',
    steps: {
      ...STEPS,
      readBehind: async (...args) => withoutDeleted(await STEPS.readBehind(...args)),
      readByIds: async (...args) => withoutDeleted(await STEPS.readByIds(...args)),
      readChanged: async (...args) => withoutDeleted(await STEPS.readChanged(...args)),
      verify: async () => true,
      cutOver: switchUnchecked,
    },
    seed: 1,
  },
];
