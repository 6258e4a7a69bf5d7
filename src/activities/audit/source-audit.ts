import { Context } from '@temporalio/activity';
import {
  type AuditBody,
  type AuditCounts,
  type AuditState,
  addAuditCounts,
  noAuditCounts,
} from '../../contract/audit.ts';
import type { CompareRequest, CompareResult } from '../../contract/audit-activities.ts';
import { invalidField } from '../../contract/errors.ts';
import { controlQueueOf } from '../../contract/names.ts';
import type { SyncPlace } from '../../contract/source-activities.ts';
import { objectIdOf } from '../../contract/source-text.ts';
import { storedPayloads } from '../../pipeline/payload-memory.ts';
import { requireAccepted } from '../../store/admission.ts';
import { readTables } from '../../store/partitions.ts';
import { countObjects } from '../../store/protocol/audit.ts';
import { compareObjects } from '../../store/protocol/compare.ts';
import { MAX_READ_BYTES } from '../../store/read-size.ts';
import type { IndexRow } from '../../store/schema.ts';
import { readTableProblem } from '../../store/sources/drift.ts';
import { findLiveIds } from '../../store/sources/live-ids.ts';
import { sharedReason } from '../../store/sources/rivals.ts';
import { getSource, type SourceRow } from '../../store/sources/rows.ts';
import { isUnchanged, readTableOf } from '../../store/sources/state.ts';
import { countRows, type ReadTable, readKeysAfter, readRowsAfter } from '../../store/sources/table-rows.ts';
import { clearFailed, countFailed, dropFailed, listFailed, recordFailed } from '../../store/staging.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { createIndexWatch } from '../index-watch.ts';
import { isOfRow, SourceChanged } from '../sources/errors.ts';
import { findGone } from '../sources/gone.ts';
import { createWaitMeter } from '../support/chunk-waits.ts';
import { type Running, runWithHeartbeat } from '../support/heartbeat.ts';
import { createPacer } from '../support/pacer.ts';
import { createYielding, type OnWait, type Yielding } from '../support/yield-to-live-traffic.ts';
import { confirmDifferences } from './source-confirm.ts';
import { type Difference, differenceOf, expectedOf, type LookedAt, wantedOf } from './source-look.ts';
import { bringDifferences } from './source-repair.ts';

/** Rows or objects of one read, and of the embedded database, whose one connection live work waits for. */
const PAGE = 500;
const SMALL_PAGE = 100;
/** What seems to differ is collected up to this number before it is looked at again. */
const SUSPECTS = 500;

/** Checks the source of an audit, and counts what is to be compared. Error: `InvalidInput` if its table cannot be read. */
export async function beginSourceAudit(
  deps: ActivityDependencies,
  { taskId, request, onlyFailed }: { taskId: string; request: AuditBody; onlyFailed: boolean },
): Promise<AuditState> {
  const { background: db } = deps;
  const { source, database, table } = await openSource(deps, request.source as string);
  const index = await indexOf(deps, source);
  if (!onlyFailed) await dropFailed(db, taskId);
  const total = onlyFailed
    ? await countFailed(db, taskId)
    : (await countRows(database, table)) +
      (await readTables(index, () => countObjects(db, index.no, { after: null, until: null })));
  const counts = { ...noAuditCounts(), rows: 0, onTheirWay: 0 };
  const place: SyncPlace = { phase: onlyFailed ? 'objects' : 'rows', after: null };
  return { indexNo: index.no, index: source.definition.index, total, after: null, counts, place };
}

/** Creates the activity that compares a table with its index. */
export function createCompareChunk(deps: ActivityDependencies) {
  const yielding = createYielding(deps);
  const noteWrite = createIndexWatch(deps);
  return (request: CompareRequest): Promise<CompareResult> =>
    runWithHeartbeat(async (running: Running<CompareResult>) => {
      const queue = controlQueueOf(Context.current().info.taskQueue);
      const opened = await openSource(deps, request.source);
      const onWritten = (index: IndexRow) => noteWrite(index, queue);
      const meter = createWaitMeter(deps.client);
      const options = { ...opened, request, running, ...meter.wrap(yielding), onWritten };
      return { ...(await new CompareChunk(deps, options).run()), waits: meter.read() };
    });
}

/** A source with its table, which can be read. */
interface OpenSource {
  source: SourceRow;
  database: LookedAt['database'];
  table: ReadTable;
}

async function openSource(deps: ActivityDependencies, name: string): Promise<OpenSource> {
  const source = await getSource(deps.db, name);
  const database = deps.sources.of(source.definition.connectionEnv);
  const problem = (await sharedReason(deps.db, source)) ?? (await readTableProblem(database, source));
  if (problem) throw invalidField('source', problem);
  return { source, database, table: await readTableOf(database, source) };
}

/** Returns the index that serves. Errors: `IndexDeleted`, `IndexDeleting`, `IndexNotFound`. */
function indexOf({ background }: ActivityDependencies, { definition, resolved }: SourceRow): Promise<IndexRow> {
  return requireAccepted(background, definition.index, resolved.indexNo);
}

interface CompareOptions extends OpenSource {
  request: CompareRequest;
  running: Running<CompareResult>;
  yielding: Yielding;
  onRate: OnWait;
  onWritten: (index: IndexRow) => void;
}

/** What a stretch has found at a first look: ids of objects. */
interface Page {
  suspects: string[];
  rows: number;
  objects: number;
  place: SyncPlace | null;
}

/** Compares for some seconds: many rows or objects at once, then again those that seemed to differ. */
class CompareChunk {
  private readonly deps: ActivityDependencies;
  private readonly options: CompareOptions;
  private readonly pace: (looked: number) => Promise<void>;
  private readonly limit: number;

  constructor(deps: ActivityDependencies, options: CompareOptions) {
    this.deps = deps;
    this.options = options;
    const { ratePerSecond } = options.request;
    this.pace = createPacer(ratePerSecond, options.running.signal, options.onRate);
    const limit = deps.background === deps.db ? SMALL_PAGE : PAGE;
    // A page takes a second at most at the given rate, so that a pause takes effect soon.
    this.limit = Math.min(limit, Math.ceil(ratePerSecond ?? limit));
  }

  async run(): Promise<CompareResult> {
    const { request, running } = this.options;
    const counts: AuditCounts = { ...noAuditCounts(), rows: 0, onTheirWay: 0 };
    const result = running.resumedFrom ?? { counts, place: request.place };
    while (result.place !== null) {
      const { suspects, rows, objects, place } = await this.lookFirst(result.place);
      addAuditCounts(result.counts, { ...noAuditCounts(), rows, objects });
      if (suspects.length > 0) await this.confirm(suspects, result.counts);
      result.place = place;
      running.beat(structuredClone(result));
      if (running.isTimeUp()) break;
    }
    return result;
  }

  /** Looks at pages until enough seems to differ, the time is up, or the end is reached. */
  private async lookFirst(from: SyncPlace): Promise<Page> {
    const sum: Page = { suspects: [], rows: 0, objects: 0, place: from };
    while (sum.place !== null) {
      const page = await this.nextPage(sum.place);
      sum.suspects.push(...page.suspects);
      sum.rows += page.rows;
      sum.objects += page.objects;
      sum.place = page.place;
      await this.pace(page.rows + page.objects);
      if (sum.suspects.length >= SUSPECTS || this.options.running.isTimeUp()) break;
    }
    return sum;
  }

  private nextPage({ phase, after }: SyncPlace): Promise<Page> {
    if (this.options.request.onlyFailed) return this.listedPage(after?.[0] ?? null);
    return phase === 'rows' ? this.rowsPage(after) : this.objectsPage(after?.[0] ?? null);
  }

  /** The next rows in the order of their key: those whose object is missing or differs. */
  private async rowsPage(after: string[] | null): Promise<Page> {
    const { database, table, source, running } = this.options;
    const placeAfter = (keys: readonly string[][], isLast: boolean): SyncPlace =>
      isLast ? { phase: 'objects', after: null } : { phase: 'rows', after: keys.at(-1) ?? after };
    const memory = await storedPayloads.hold(MAX_READ_BYTES, { signal: running.signal });
    try {
      const { rows, isLast } = await readRowsAfter(database, table, { after, limit: this.limit });
      const wanted = new Map(
        rows.filter((row) => row.wanted).map((row) => [objectIdOf(row.key), wantedOf({ source, table }, row)]),
      );
      const suspects = await this.compare(wanted);
      const place = placeAfter(
        rows.map(({ key }) => key),
        isLast,
      );
      return { suspects, rows: rows.length, objects: 0, place };
    } catch (error) {
      if (!isOfRow(error)) throw error;
      // What is in one of them prevents the read: each is looked at by its key.
      const keys = await readKeysAfter(database, table, { after, limit: this.limit });
      const place = placeAfter(keys, keys.length < this.limit);
      return { suspects: keys.map(objectIdOf), rows: keys.length, objects: 0, place };
    } finally {
      memory.release();
    }
  }

  private async compare(wanted: ReadonlyMap<string, ReturnType<typeof wantedOf>>): Promise<string[]> {
    const { yielding, running, source } = this.options;
    const { background } = this.deps;
    const index = await indexOf(this.deps, source);
    const expected = [...wanted].map(([id, one]) => expectedOf(id, one));
    const compared = await yielding(running.signal, () =>
      readTables(index, () => compareObjects(background, index.no, expected)),
    );
    return compared.filter((object) => differenceOf(wanted.get(object.id), object) !== null).map(({ id }) => id);
  }

  /** The next objects in the order of their ids: those without a row that is wanted. */
  private async objectsPage(after: string | null): Promise<Page> {
    const { database, table, source, running, yielding } = this.options;
    const { background } = this.deps;
    const index = await indexOf(this.deps, source);
    const ids = await yielding(running.signal, () =>
      readTables(index, () => findLiveIds(background, source.definition.index, { after, limit: this.limit })),
    );
    const last = ids.at(-1);
    const isLast = last === undefined || ids.length < this.limit;
    const place: SyncPlace | null = isLast ? null : { phase: 'objects', after: [last] };
    return { suspects: await findGone(database, table, ids), rows: 0, objects: ids.length, place };
  }

  /** The next objects of the failed list, whatever they are. */
  private async listedPage(after: string | null): Promise<Page> {
    const { taskId } = this.options.request;
    const listed = await listFailed(this.deps.background, taskId, { after, limit: this.limit });
    const ids = listed.map(({ objectId }) => objectId);
    const last = ids.at(-1);
    const isLast = last === undefined || ids.length < this.limit;
    return { suspects: ids, rows: 0, objects: ids.length, place: isLast ? null : { phase: 'objects', after: [last] } };
  }

  /** Looks at suspects again, and lists or repairs those that still differ. */
  private async confirm(suspects: readonly string[], counts: AuditCounts): Promise<void> {
    const { request, running, source } = this.options;
    const found = await this.differencesAmong(suspects);
    // What was compared by an earlier definition says nothing: another attempt takes the new one.
    if (!(await isUnchanged(this.deps.db, source))) throw new SourceChanged();
    let { differences } = found;
    if (request.onlyFailed) await this.clear(suspects.filter((id) => !differences.has(id)));
    counts.onTheirWay = (counts.onTheirWay ?? 0) + found.onTheirWay.length;
    for (const { kind } of differences.values()) counts.found[kind] = (counts.found[kind] ?? 0) + 1;
    if (!request.repair || differences.size === 0) return this.list(differences, counts);
    const { taskId } = request;
    const { database: db, table, onWritten } = this.options;
    const { no: indexNo } = await indexOf(this.deps, source);
    const work = { taskId, source, table, db, indexNo, signal: running.signal, onWritten };
    const reasons = await bringDifferences(this.deps, work, differences);
    const ids = [...differences.keys()];
    ({ differences } = await this.differencesAmong(ids));
    const repaired = ids.filter((id) => !differences.has(id));
    counts.repaired += repaired.length;
    await this.clear(repaired);
    const left = [...differences].map(([id, { detail, ...rest }]): [string, Difference] => {
      const reason = reasons.get(id);
      return [id, { ...rest, detail: reason === undefined ? detail : `${detail}; it could not be synced: ${reason}` }];
    });
    await this.list(new Map(left), counts);
  }

  private differencesAmong(ids: readonly string[]) {
    const { source, database, table, running } = this.options;
    const look = async (): Promise<LookedAt> => {
      const { no: indexNo } = await indexOf(this.deps, source);
      return { db: this.deps.background, database, source, table, indexNo };
    };
    return confirmDifferences(look, ids, running.signal);
  }

  private async list(differences: ReadonlyMap<string, Difference>, counts: AuditCounts): Promise<void> {
    const { taskId, room } = this.options.request;
    const listed = [...differences].slice(0, Math.max(0, room - counts.listed));
    counts.listed += listed.length;
    const items = listed.map(([objectId, { kind, detail }]) => ({
      objectId,
      stage: 'audit' as const,
      reason: kind,
      detail,
    }));
    await recordFailed(this.deps.background, taskId, items);
  }

  private async clear(ids: readonly string[]): Promise<void> {
    await clearFailed(this.deps.background, this.options.request.taskId, ids);
  }
}
