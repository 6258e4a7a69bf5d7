import { CompiledQuery, type KyselyPlugin, type RootOperationNode, sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Db } from '../../src/store/database.ts';
import { nearestOfEach } from '../../src/store/nearest-of-each.ts';
import { getObject, listObjects } from '../../src/store/objects.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { readBehind, readByIds, readChanged, writeCopies } from '../../src/store/protocol/copy.ts';
import { cutOver } from '../../src/store/protocol/cut-over.ts';
import { storedHashes } from '../../src/store/protocol/live-write.ts';
import type { ObjectWrite } from '../../src/store/protocol/object-write.ts';
import { planSlices } from '../../src/store/protocol/slices.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { onBothDatabases } from '../support/databases.ts';
import { content, createIndex, lockIn, tombstone, unchanged, writeIn } from './builders.ts';

const OBJECTS = 20_000;
/** A statement that touches a batch may sort the batch, never the partition. */
const MAX_SORTED = 5_000;

const idOf = (place: number) => `k${String(place).padStart(6, '0')}`;
const idsOf = (from: number, count: number) => Array.from({ length: count }, (_, at) => idOf(from + at));

/** Objects of one part each, every tenth derived from the one before, every twentieth deleted. */
async function fill(db: Db, indexNo: number, { analyzed }: { analyzed: boolean }): Promise<void> {
  const { objects, parts } = tablesOf(indexNo);
  await sql`
    insert into ${objects} (index_no, object_id, version, change, deleted, payload, original_id, hash)
    select ${indexNo}::int, 'k' || lpad(n::text, 6, '0'), 1, nextval('reembed.changes'), n % 20 = 7, '"text"',
      case when n % 10 = 0 then 'k' || lpad((n - 1)::text, 6, '0') end, 'hash of k' || lpad(n::text, 6, '0')
    from generate_series(1, ${OBJECTS}::int) n`.execute(db);
  await sql`
    insert into ${parts} (index_no, object_id, part, embedding)
    select ${indexNo}::int, 'k' || lpad(n::text, 6, '0'), 0, '[1,2,3]'
    from generate_series(1, ${OBJECTS}::int) n`.execute(db);
  if (!analyzed) return;
  await sql`analyze ${objects}`.execute(db);
  await sql`analyze ${parts}`.execute(db);
}

interface Plan {
  'Node Type': string;
  Filter?: string;
  'Relation Name'?: string;
  'Index Cond'?: string;
  'Recheck Cond'?: string;
  'Plan Rows': number;
  Plans?: Plan[];
}

/** Without nodes that end at the first row of an index, as the query for the highest change does. */
const nodesOf = (plan: Plan): Plan[] => {
  const within = (plan.Plans ?? []).filter((part) => !isFirstRow(plan, part));
  return [plan, ...within.flatMap(nodesOf)];
};

const isFirstRow = (limit: Plan, scan: Plan) =>
  limit['Node Type'] === 'Limit' &&
  limit['Plan Rows'] === 1 &&
  /^Index( Only)? Scan$/.test(scan['Node Type']) &&
  scan.Filter === undefined;

/** What a node does with the whole of a partition; undefined if nothing. */
function wholePartition(node: Plan): string | undefined {
  const type = node['Node Type'];
  if (type === 'Sort' && node['Plan Rows'] > MAX_SORTED) return `sorts ${node['Plan Rows']} rows`;
  if (!/^(objects|parts)_\d+$/.test(node['Relation Name'] ?? '')) return undefined;
  if (type === 'Seq Scan') return `reads all of ${node['Relation Name']}`;
  if (type === 'Tid Range Scan') return undefined;
  const condition = node['Index Cond'] ?? node['Recheck Cond'];
  if (/Scan$/.test(type) && !/object_id|original_id|change/.test(condition ?? '')) {
    return `reads all of ${node['Relation Name']} by an index: ${condition}`;
  }
  return undefined;
}

/** Runs `work` and explains each of its statements; returns what they would do with whole partitions. */
async function wholePartitions(db: Db, work: (db: Db) => Promise<unknown>): Promise<string[]> {
  const seen: RootOperationNode[] = [];
  const recorder: KyselyPlugin = {
    transformQuery({ node }) {
      seen.push(node);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  await work(db.withPlugin(recorder));
  const found: string[] = [];
  let explained = 0;
  for (const node of seen) {
    const statement = db.getExecutor().compileQuery(node, { queryId: 'plan' });
    if (!/reembed"\."(objects|parts)_\d+"/.test(statement.sql)) continue;
    const explain = CompiledQuery.raw(`explain (format json) ${statement.sql}`, [...statement.parameters]);
    const { rows } = await db.executeQuery<{ 'QUERY PLAN': [{ Plan: Plan }] }>(explain);
    explained++;
    for (const { Plan: plan } of rows[0]?.['QUERY PLAN'] ?? []) {
      for (const problem of nodesOf(plan).flatMap((part) => wholePartition(part) ?? [])) {
        found.push(`${problem}\n${statement.sql}`);
      }
    }
  }
  expect(explained).toBeGreaterThan(0);
  return found;
}

onBothDatabases((database) => {
  describe.each([
    ['of an index whose statistics have been gathered', { analyzed: true }],
    ['of a new index, that autovacuum has not come to', { analyzed: false }],
  ])('no statement for a batch reads or sorts a whole partition %s', (_which, statistics) => {
    let source: IndexRow;
    let dest: IndexRow;
    let lock: string;
    let firstChange: number;

    beforeAll(async () => {
      const { db } = database();
      [source, dest] = [await createIndex(db), await createIndex(db)];
      ({ lock } = await lockIn(db, source.name, dest.name));
      await fill(db, source.no, statistics);
      await fill(db, dest.no, statistics);
      const { rows } = await sql<{ first: number }>`
        select min(change) as first from ${tablesOf(source.no).objects}`.execute(db);
      firstChange = rows[0]?.first as number;
    });

    const pair = () => ({ sourceNo: source.no, destNo: dest.no });
    const range = { after: idOf(5_000), until: idOf(7_000) };
    const batch = (version: number): ObjectWrite[] => [
      ...idsOf(1_000, 100).map((id) => content(id, version)),
      ...idsOf(2_000, 100).map((id) => unchanged(id, version, id)),
      ...idsOf(3_001, 20).map((id) => tombstone(id, version)),
      ...idsOf(30_000, 20).map((id, at) => content(id, version, { originalId: idOf(3_000 + at) })),
    ];

    it.each<[string, (db: Db) => Promise<unknown>]>([
      ['a key range that is copied', (db) => readBehind(db, pair(), range, 256)],
      ['the rest of the key space', (db) => readBehind(db, pair(), { ...range, until: null }, 256)],
      ['objects that are forwarded', (db) => readByIds(db, pair(), idsOf(1, 256))],
      [
        'changes that are reconciled',
        (db) => readChanged(db, pair(), { after: firstChange + 100, until: firstChange + 2_000 }, 256),
      ],
      ['all changes since long ago', (db) => readChanged(db, pair(), { after: firstChange, until: 10 ** 9 }, 256)],
      ['hashes', (db) => storedHashes(db, source.no, idsOf(1, 256))],
      ['a live write', (db) => writeIn(db, source, batch(2))],
      ['the same once more, now stale', (db) => writeIn(db, source, batch(1))],
      ['a copy', (db) => writeCopies(db, lock, dest.no, batch(2))],
      ['an object', (db) => getObject(db, source, idOf(10_000))],
      ['a page of objects', (db) => listObjects(db, source, { after: idOf(10_000), limit: 100 })],
      [
        'the look before the switch',
        (db) => cutOver(db, { lock, ...pair(), mark: firstChange + OBJECTS - 100, alias: null, mirror: null }),
      ],
    ])('%s', async (_what, work) => {
      expect(await wholePartitions(database().db, work)).toEqual([]);
    });

    it('an exact search with many vectors reads only the blocks of its piece', async () => {
      const vectors = Array.from({ length: 64 }, (_, at) => [at, 1, 2]);
      const problems = await wholePartitions(database().db, (db) =>
        db
          .transaction()
          .execute((trx) => nearestOfEach(trx, source, { vectors, limit: 10, inPieces: (statement) => statement() })),
      );
      // Objects whose parts were left over are compared again, one vector at a time.
      expect(problems.filter((problem) => problem.startsWith('reads') && problem.includes('ctid'))).toEqual([]);
    });

    it('planning slices does not sort the keys', async () => {
      const problems = await wholePartitions(database().db, (db) =>
        planSlices(db, source.no, {
          minObjects: 500,
          maxObjects: 2_000,
          maxSlices: 200,
          maxInFlight: 1,
          lanes: 4,
        }),
      );
      expect(problems.filter((problem) => problem.startsWith('sorts'))).toEqual([]);
    });
  });
});
