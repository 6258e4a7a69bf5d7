import { setTimeout as delay } from 'node:timers/promises';
import type { EmbedActivities } from '../../contract/activities.ts';
import { AUDIT_KINDS, type AuditCounts, type AuditKind, addAuditCounts, noAuditCounts } from '../../contract/audit.ts';
import type { AuditChunkRequest, AuditChunkResult } from '../../contract/audit-activities.ts';
import { Pace } from '../../cpu/pace.ts';
import { storedPayloads } from '../../pipeline/payload-memory.ts';
import { requireWritable } from '../../store/admission.ts';
import { requireActive } from '../../store/indexes.ts';
import { readTables } from '../../store/partitions.ts';
import {
  type AuditFacts,
  countObjects,
  type PageLimits,
  readFacts,
  type Selection,
} from '../../store/protocol/audit.ts';
import { MAX_READ_BYTES } from '../../store/read-size.ts';
import type { IndexRow } from '../../store/schema.ts';
import { clearFailed, countFailed, dropFailed, listFailed, recordFailed } from '../../store/staging.ts';
import { requireIndex } from '../copy-objects.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { createWaitMeter } from '../support/chunk-waits.ts';
import { type Running, runWithHeartbeat } from '../support/heartbeat.ts';
import { createPacer } from '../support/pacer.ts';
import { createYielding, type OnWait, type Yielding } from '../support/yield-to-live-traffic.ts';
import { findProblem } from './problem.ts';
import { repairObjects } from './repair.ts';
import { beginSourceAudit, createCompareChunk } from './source-audit.ts';

/** One read. The embedded database has one connection, which live work waits for. */
const PAGE = { objects: 500, parts: 4_000 };
const SMALL_PAGE = { objects: 100, parts: 400 };
/** Broken objects that are collected before they are looked at again. */
const SUSPECTS = 500;
/** Time between the two looks: a write that is on its way may arrive, and the second look then finds nothing. */
const LOOK_AGAIN_MS = 1_000;

type Broken = Map<string, AuditKind>;

/** Creates the activities of an audit. */
export function createAuditActivities(
  deps: ActivityDependencies,
): Pick<EmbedActivities, 'beginAudit' | 'auditChunk' | 'compareChunk'> {
  const { background: db } = deps;
  const yielding = createYielding(deps);
  return {
    beginAudit: ({ taskId, request, onlyFailed }) =>
      runWithHeartbeat(async () => {
        if (request.source !== undefined) return beginSourceAudit(deps, { taskId, request, onlyFailed });
        const index = await requireWritable(db, request.index as string);
        const { after = null, until = null } = request;
        if (!onlyFailed) await dropFailed(db, taskId);
        const total = onlyFailed
          ? await countFailed(db, taskId)
          : await readTables(index, () => countObjects(db, index.no, { after, until }));
        return { indexNo: index.no, total, after: onlyFailed ? null : after, counts: noAuditCounts() };
      }),

    auditChunk: (request) =>
      runWithHeartbeat(async (running: Running<AuditChunkResult>) => {
        const index = await requireIndex(db, request.indexNo);
        requireActive(index);
        const meter = createWaitMeter(deps.client);
        const options = { index, request, running, ...meter.wrap(yielding) };
        const result = await readTables(index, () => new AuditChunk(deps, options).run());
        return { ...result, waits: meter.read() };
      }),

    compareChunk: createCompareChunk(deps),
  };
}

interface ChunkOptions {
  index: IndexRow;
  request: AuditChunkRequest;
  running: Running<AuditChunkResult>;
  yielding: Yielding;
  onRate: OnWait;
}

/** Looks at objects for some seconds: at stretches of many, then again at those that seemed broken. */
class AuditChunk {
  private readonly deps: ActivityDependencies;
  private readonly options: ChunkOptions;
  private readonly pace: (objects: number) => Promise<void>;
  private readonly cpu = new Pace();

  constructor(deps: ActivityDependencies, options: ChunkOptions) {
    this.deps = deps;
    this.options = options;
    this.pace = createPacer(options.request.ratePerSecond, options.running.signal, options.onRate);
  }

  async run(): Promise<AuditChunkResult> {
    const { request, running } = this.options;
    const result = running.resumedFrom ?? { counts: noAuditCounts(), after: request.after, done: false };
    // At least one stretch, however long it takes: otherwise the next activity would start at the same place.
    do {
      const { selection, isLast } = await this.nextSelection(result.after);
      const { suspects, until, objects } = await this.lookFirst(selection);
      addAuditCounts(result.counts, { ...noAuditCounts(), objects });
      if (suspects.size > 0) {
        await delay(LOOK_AGAIN_MS, undefined, { signal: running.signal });
        await this.lookAgain({ after: selection.after, until, ids: [...suspects.keys()] }, result.counts);
      }
      if (request.onlyFailed) await this.clear((selection.ids ?? []).filter((id) => !suspects.has(id)));
      result.after = until ?? selection.ids?.at(-1) ?? result.after;
      result.done = until === null && isLast;
      running.beat(result);
    } while (!result.done && !running.isTimeUp());
    return result;
  }

  /** Returns what to look at next: the rest of the range, or some objects of the failed list. */
  private async nextSelection(after: string | null): Promise<{ selection: Selection; isLast: boolean }> {
    const { taskId, until, onlyFailed } = this.options.request;
    if (!onlyFailed) return { selection: { after, until }, isLast: true };
    const listed = await listFailed(this.deps.background, taskId, { after, limit: SUSPECTS });
    const ids = listed.map(({ objectId }) => objectId);
    return { selection: { after: null, until: null, ids }, isLast: ids.length < SUSPECTS };
  }

  /** Looks at objects until some seem broken, the time is up, or the end is reached (`until` null). */
  private async lookFirst(selection: Selection): Promise<{ suspects: Broken; until: string | null; objects: number }> {
    const suspects: Broken = new Map();
    let objects = 0;
    for (let { after } = selection; ; ) {
      const { until } = await this.eachPage({ ...selection, after }, async (facts, broken) => {
        objects += facts.filter(({ rows, deleted }) => rows > 0 && !deleted).length;
        for (const [id, kind] of broken) suspects.set(id, kind);
      });
      const isEnough = suspects.size >= SUSPECTS || this.options.running.isTimeUp();
      // All of a list is looked at, so that it can be cleared of what is no longer broken.
      if (until === null || (isEnough && selection.ids === undefined)) return { suspects, until, objects };
      after = until;
    }
  }

  /** Looks at suspects a second time; lists those that are still broken, or repairs them. */
  private async lookAgain(selection: Selection, counts: AuditCounts): Promise<void> {
    const { index, running, request } = this.options;
    for (let { after } = selection; ; ) {
      const { until } = await this.eachPage({ ...selection, after }, async (_facts, broken) => {
        for (const kind of broken.values()) counts.found[kind] = (counts.found[kind] ?? 0) + 1;
        if (broken.size === 0 || !request.repair) return this.list(broken, new Map(), counts);
        const reasons = await repairObjects(this.deps, { index, signal: running.signal }, broken);
        const left = await this.brokenAmong([...broken.keys()]);
        const repaired = [...broken.keys()].filter((id) => !left.has(id));
        counts.repaired += repaired.length;
        if (request.onlyFailed) await this.clear(repaired);
        await this.list(left, reasons, counts);
      });
      if (until === null) return;
      after = until;
    }
  }

  private async brokenAmong(ids: readonly string[]): Promise<Broken> {
    const left: Broken = new Map();
    for (let after: string | null = null; ; ) {
      const page: { until: string | null } = await this.eachPage(
        { after, until: null, ids },
        async (_facts, broken) => {
          for (const [id, kind] of broken) left.set(id, kind);
        },
      );
      if (page.until === null) return left;
      after = page.until;
    }
  }

  /** Reads one page, in turn with live work, and passes on which of its objects are broken. */
  private async eachPage(
    selection: Selection,
    use: (facts: AuditFacts[], broken: Broken) => Promise<void>,
  ): Promise<{ until: string | null }> {
    const { index, running, yielding } = this.options;
    const { background } = this.deps;
    const { signal } = running;
    const limits = this.limits();
    const memory = await storedPayloads.hold(MAX_READ_BYTES, { signal });
    const broken: Broken = new Map();
    let length = 0;
    let page: { facts: AuditFacts[]; until: string | null };
    try {
      page = await yielding(signal, () => readFacts(background, index, selection, limits));
      for (const facts of page.facts) {
        const kind = await findProblem(facts, index, this.cpu);
        if (kind !== null) broken.set(facts.id, kind);
        facts.payload = null;
        await this.cpu.breathe();
      }
      length = page.facts.length;
    } finally {
      memory.release();
    }
    await use(page.facts, broken);
    await this.pace(length);
    return { until: page.until };
  }

  /** A page takes a second at most at the given rate, so that a pause takes effect soon. */
  private limits(): PageLimits {
    const { ratePerSecond } = this.options.request;
    const limits = this.deps.background === this.deps.db ? SMALL_PAGE : PAGE;
    if (ratePerSecond === null) return limits;
    return { ...limits, objects: Math.min(limits.objects, Math.ceil(ratePerSecond)) };
  }

  private async list(broken: Broken, reasons: ReadonlyMap<string, string>, counts: AuditCounts): Promise<void> {
    const { taskId, room } = this.options.request;
    const listed = [...broken].slice(0, Math.max(0, room - counts.listed));
    counts.listed += listed.length;
    await recordFailed(
      this.deps.background,
      taskId,
      listed.map(([objectId, kind]) => {
        const reason = reasons.get(objectId);
        const { detail } = AUDIT_KINDS[kind];
        return {
          ...{ objectId, stage: 'audit', reason: kind },
          detail: reason === undefined ? detail : `${detail}; it could not be embedded again: ${reason}`,
        };
      }),
    );
  }

  private async clear(ids: readonly string[]): Promise<void> {
    await clearFailed(this.deps.background, this.options.request.taskId, ids);
  }
}
