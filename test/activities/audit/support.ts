import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import type { ActivityDependencies } from '../../../src/activities/dependencies.ts';
import { createActivities } from '../../../src/activities/index.ts';
import { preparedWrite } from '../../../src/activities/prepared-write.ts';
import {
  type AuditCounts,
  type AuditState,
  addAuditCounts,
  auditSchema,
  noAuditCounts,
} from '../../../src/contract/audit.ts';
import type { AuditChunkRequest, AuditChunkResult } from '../../../src/contract/audit-activities.ts';
import type { Storage } from '../../../src/contract/vector-index.ts';
import { prepareObjects } from '../../../src/pipeline/prepare.ts';
import type { PrepareItem } from '../../../src/pipeline/prepared.ts';
import type { Db } from '../../../src/store/database.ts';
import { tablesOf } from '../../../src/store/partitions.ts';
import type { ObjectWrite } from '../../../src/store/protocol/object-write.ts';
import type { IndexRow } from '../../../src/store/schema.ts';
import { listFailed } from '../../../src/store/staging.ts';
import { createIndex, uniqueName } from '../../store/builders.ts';

/** Parts have at most 50 characters, so that a text of some words has several. */
export const auditedIndex = (db: Db, { storage }: { storage?: Storage } = {}) =>
  createIndex(db, { dimensions: 8, average: true, splitter: { chunkSize: 50, chunkOverlap: 10 }, storage });

export const textOf = (id: string) =>
  `the first words of ${id} are followed by more words, so that ${id} has several parts`;

/** Objects as the pipeline writes them, with these versions. */
export async function embedded(
  deps: ActivityDependencies,
  index: IndexRow,
  items: readonly PrepareItem[],
  version: number,
): Promise<ObjectWrite[]> {
  const { models, loader } = deps;
  const writes: ObjectWrite[] = [];
  for await (const { ready } of prepareObjects(items, {
    config: index,
    embedder: models.embedder(index.model),
    loader,
  })) {
    writes.push(...ready.map((object) => preparedWrite(object, { version })));
  }
  return writes;
}

/** Runs a whole audit with the real activities. */
export async function audit(
  deps: ActivityDependencies,
  index: string,
  options: {
    after?: string;
    until?: string;
    repair?: boolean;
    taskId?: string;
    onChunk?: (chunk: AuditChunkResult) => void;
  } & Partial<Pick<AuditChunkRequest, 'onlyFailed' | 'room'>> = {},
) {
  const { taskId = uniqueName('audit'), onlyFailed = false, room = 1_000, onChunk, ...body } = options;
  const { embed } = createActivities(deps);
  const context = new MockActivityEnvironment();
  const request = auditSchema.parse({ index, ...body });
  const state = (await context.run(embed.beginAudit, { taskId, request, onlyFailed })) as AuditState;
  const counts: AuditCounts = noAuditCounts();
  for (let { after } = state, done = false; !done; ) {
    const chunk = (await context.run(embed.auditChunk, {
      ...{ taskId, indexNo: state.indexNo, after, until: request.until ?? null, onlyFailed, repair: request.repair },
      ...{ ratePerSecond: null, room: room - counts.listed },
    })) as AuditChunkResult;
    onChunk?.(chunk);
    addAuditCounts(counts, chunk.counts);
    ({ after, done } = chunk);
  }
  const listed = await listFailed(deps.db, taskId, { after: null, limit: 1_000 });
  return { taskId, total: state.total, counts, listed: listed.map(({ objectId, reason }) => [objectId, reason]) };
}

/** What breaks an object, by what an audit must call it. */
export const BREAKS = {
  changed: (db: Db, no: number, id: string) =>
    sql`update ${tablesOf(no).objects} set payload = '"by hand"' where object_id = ${id}`.execute(db),
  'not-embedded': async (db: Db, no: number, id: string) => {
    await sql`update ${tablesOf(no).objects} set failed = true where object_id = ${id}`.execute(db);
    await sql`delete from ${tablesOf(no).parts} where object_id = ${id}`.execute(db);
  },
  'without-parts': (db: Db, no: number, id: string) =>
    sql`delete from ${tablesOf(no).parts} where object_id = ${id}`.execute(db),
  'part-gaps': (db: Db, no: number, id: string) =>
    sql`delete from ${tablesOf(no).parts} where object_id = ${id} and part = 1`.execute(db),
  'vector-length': (db: Db, no: number, id: string) =>
    sql`update ${tablesOf(no).parts} set embedding = '[1,2]' where object_id = ${id} and part = 0`.execute(db),
  'vector-zero': (db: Db, no: number, id: string) =>
    sql`update ${tablesOf(no).parts} set embedding = '[0,0,0,0,0,0,0,0]' where object_id = ${id} and part = 0`.execute(
      db,
    ),
  // pgvector refuses such a number as text; a disk does not.
  'vector-not-finite': async (db: Db, no: number, id: string) => {
    const bytes = `\\x08000000${'0000c07f'}${'0000803f'.repeat(7)}`;
    await sql`create cast (bytea as vector) without function`.execute(db);
    await sql`update ${tablesOf(no).parts} set embedding = ${bytes}::bytea::vector where object_id = ${id} and part = 0`.execute(
      db,
    );
    await sql`drop cast (bytea as vector)`.execute(db);
  },
  'orphaned-parts': (db: Db, no: number, id: string) =>
    sql`delete from ${tablesOf(no).objects} where object_id = ${id}`.execute(db),
} as const;

/** Breaks one object of an index in each way; returns their ids with what an audit must call them, by id. */
export async function breakEach(db: Db, index: IndexRow): Promise<[string, string][]> {
  for (const [kind, breaks] of Object.entries(BREAKS)) await breaks(db, index.no, kind);
  return Object.keys(BREAKS)
    .sort()
    .map((kind) => [kind, kind]);
}
