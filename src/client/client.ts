/**
 * The client of the HTTP API. Needs only zod and `fetch`, so it also runs in a browser or at the edge.
 * @module reembed/client
 */
import { type Me, meBody } from '../contract/me.ts';
import { Bulk } from './bulk/bulk.ts';
import type { BulkOptions } from './bulk/options.ts';
import { embedCall } from './embed.ts';
import { aliasCalls, indexCalls, objectCalls, searchBatchCall, searchCall, searchManyCall } from './indexes.ts';
import { jobCalls } from './jobs.ts';
import { querySetCalls } from './query-sets.ts';
import { type ClientOptions, createSend, readAs } from './request.ts';
import { createRun } from './run.ts';
import { samplingCalls } from './sampling.ts';
import { scheduleCalls } from './schedules.ts';
import { serverCalls } from './server.ts';
import { sourceCalls } from './sources.ts';
import { taskCalls } from './tasks.ts';
import { awaitWriteCall } from './wait.ts';

export type { AuditKind, AuditRequest } from '../contract/audit.ts';
export type { Doctor, DoctorCheck } from '../contract/doctor.ts';
export type { EmbedResult } from '../contract/embed.ts';
export { ReembedError } from '../contract/errors.ts';
export type { Evaluation, Verdict } from '../contract/evaluation.ts';
export type { ExportedObject } from '../contract/export.ts';
export { type HealthProblem, healthProblems, type QueueHealth, type ServerHealth } from '../contract/health.ts';
export type { JobInfo, JobList, JobRun } from '../contract/jobs.ts';
export type { LiveWrites } from '../contract/live-writes.ts';
export type { Me } from '../contract/me.ts';
export type { ObjectEvent, ObjectHistory } from '../contract/object-history.ts';
export type { ObjectPage } from '../contract/objects.ts';
export type { Figure, Obstacle, PlanReindexRequest, ReindexPlan } from '../contract/plan.ts';
export type {
  Missing,
  QueryInput,
  QuerySetInfo,
  QuerySetRequest,
  QuerySetSaved,
  StoredQuery,
} from '../contract/query-sets.ts';
export type { ReadShares } from '../contract/read-shares.ts';
export type { ReadsReport } from '../contract/reads.ts';
export type { Role } from '../contract/roles.ts';
export type { RollBack, RollBackReport } from '../contract/roll-back.ts';
export type { SampledSearch, SampledSetRequest, Sampling, SamplingRequest } from '../contract/sampling.ts';
export type { ScheduleRequest } from '../contract/schedule-request.ts';
export type { Schedule, ScheduleList, ScheduleRun } from '../contract/schedules.ts';
export type { SourceDefinitionInput, SourceInfo, SourcePlan, SourceRemoved, SourceSaved } from '../contract/sources.ts';
export type { Bucket, ServerInfo, Stats } from '../contract/stats.ts';
export type { SteerFilter, SteerRequest, SteerResult } from '../contract/steer-tasks.ts';
export type { EvaluateRequest } from '../contract/task-bodies.ts';
export type { TaskInput } from '../contract/tasks.ts';
export type { RollBackIf, Watch, WatchFigures, WatchVerdict } from '../contract/watch.ts';
export type { WriteState } from '../contract/write-token.ts';
export type { Bulk } from './bulk/bulk.ts';
export type { BulkOptions } from './bulk/options.ts';
export type { BulkDone, BulkFailed, BulkOperation, BulkReport, BulkStage, BulkSummary } from './bulk/report.ts';
export type { EmbedInput } from './embed.ts';
export type { ExportOptions, PageOptions, SearchInput, SearchManyInput } from './indexes.ts';
export type { ClientOptions } from './request.ts';
export type { RunOptions } from './run.ts';
export type { ScheduleFilter } from './schedules.ts';
export type { StatsOptions } from './server.ts';
export type {
  DeleteIndexRequest,
  DeleteRequest,
  DeletionInput,
  FailedItems,
  ItemInput,
  StreamOptions,
  TaskFilter,
  TaskList,
  TaskPageOptions,
  TaskRow,
  UpsertRequest,
} from './tasks.ts';

export type ReembedClient = ReturnType<typeof createClient>;

/**
 * Creates a client of the HTTP API. Every call throws a `ReembedError` with the `type` that the API returned, or
 * `ServerUnavailable` if the API cannot be reached.
 *
 * @example
 * const reembed = createClient({ baseUrl: 'http://127.0.0.1:7400' });
 * await reembed.indexes.create('docs', { model: { provider: 'hash' } });
 * await reembed.tasks.upsert({ index: 'docs', items: [{ id: 'a', payload: 'a lion' }] }, { wait: true });
 * const { hits } = await reembed.search('docs', { text: 'big cat' });
 */
export function createClient(options: ClientOptions) {
  const send = createSend(options);
  const run = createRun(send);
  const tasks = taskCalls(send, run);
  return {
    /** Returns the name and role of the token. */
    me: async (): Promise<Me> => readAs(await send('GET', '/v1/me'), meBody),
    indexes: indexCalls(send),
    aliases: aliasCalls(send),
    /** The sampled searches of aliases. */
    sampling: samplingCalls(send),
    search: searchCall(send),
    searchBatch: searchBatchCall(send),
    searchMany: searchManyCall(send),
    embed: embedCall(send),
    awaitWrite: awaitWriteCall(send),
    objects: objectCalls(send),
    querySets: querySetCalls(send),
    /** Tables that indexes follow. */
    sources: sourceCalls(send),
    tasks,
    /**
     * Upserts and deletes any number of objects, in batches of one task each, several at a time.
     *
     * @example
     * await using bulk = reembed.bulk({ index: 'docs', onReport: (report) => log(report) });
     * await bulk.upsert({ id: 'a', payload: 'a lion' });
     * await bulk.delete('b');
     */
    bulk: (bulkOptions: BulkOptions) => new Bulk(bulkOptions, { run, failedItems: tasks.failedItems }),
    jobs: jobCalls(send, run),
    schedules: scheduleCalls(send),
    ...serverCalls(send),
  };
}
