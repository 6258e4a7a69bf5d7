/**
 * Every metric of reembed as data: the registries, the tables of docs/operate.md, and the check of the alert rules and
 * the dashboard under deploy/observability are made from it. Names follow the conventions of Prometheus. Labels take few
 * values: never ids of objects or tasks; names of indexes only of those that a lock holds.
 */
export interface MetricSpec {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: readonly string[];
  /** Upper bounds of a histogram. */
  buckets?: readonly number[];
  /**
   * Where it comes from: the HTTP API, the workers, whichever of both a process runs, or the state of Postgres and
   * Temporal, which every API process reads when it is asked.
   */
  from: 'api' | 'worker' | 'process' | 'state';
}

function counter<const L extends string = never>(
  name: string,
  help: string,
  from: MetricSpec['from'],
  labels: L[] = [],
) {
  return { name, type: 'counter' as const, help, from, labels };
}

function gauge<const L extends string = never>(name: string, help: string, from: MetricSpec['from'], labels: L[] = []) {
  return { name, type: 'gauge' as const, help, from, labels };
}

function histogram<const L extends string = never>(
  name: string,
  help: string,
  from: MetricSpec['from'],
  { labels = [], buckets }: { labels?: L[]; buckets: readonly number[] },
) {
  return { name, type: 'histogram' as const, help, from, labels, buckets };
}

/** Answers of the API and calls of models. */
const CALL_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** From a single write to a reindex of days. */
const TASK_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 28_800, 86_400, 259_200];
const HOLD_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30];
const BUILD_SECONDS = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400];

export const METRICS = {
  httpRequests: counter('reembed_http_requests_total', 'HTTP requests answered', 'api', ['method', 'route', 'status']),
  httpRequestSeconds: histogram('reembed_http_request_duration_seconds', 'Time until the answer began', 'api', {
    labels: ['method', 'route', 'status'],
    buckets: CALL_SECONDS,
  }),
  httpInFlight: gauge('reembed_http_requests_in_flight', 'HTTP requests whose answer has not begun yet', 'api'),
  httpStreams: gauge('reembed_http_event_streams', 'Open streams of server-sent events', 'api'),
  httpRateLimited: counter(
    'reembed_http_rate_limited_total',
    'HTTP requests refused with 429 by a limit of the API: `rate`, `requests` at once or `streams`',
    'api',
    ['limit'],
  ),

  tasksFinished: counter('reembed_tasks_finished_total', 'Tasks that ended, by the status they ended with', 'worker', [
    'type',
    'status',
  ]),
  taskSeconds: histogram('reembed_task_duration_seconds', 'Time of tasks from their creation to their end', 'worker', {
    labels: ['type', 'status'],
    buckets: TASK_SECONDS,
  }),
  taskAttempts: counter('reembed_task_attempts_total', 'Attempts of tasks that began', 'worker', ['type']),
  taskFailures: counter(
    'reembed_task_attempt_failures_total',
    'Attempts of tasks that failed, by the type of the error; `other` for errors of jobs',
    'worker',
    ['type', 'error'],
  ),
  itemsWritten: counter(
    'reembed_items_total',
    'Items of upserts and deletes carried out: `embedded` (of deletes `deleted`), `unchanged`, `stale` or `failed`',
    'worker',
    ['operation', 'outcome'],
  ),
  objectsCopied: counter(
    'reembed_objects_copied_total',
    'Objects brought to an index that is built, by a `slice`, a `forward` or a `reconcile`: `copied`, `tombstone` or `failed`',
    'worker',
    ['by', 'outcome'],
  ),
  itemsFailed: counter(
    'reembed_failed_items_total',
    'Items and copied objects put on a failed list, by the stage that failed and the reason; tries again count again',
    'worker',
    ['stage', 'reason'],
  ),
  drainSeconds: histogram(
    'reembed_cut_over_drain_seconds',
    'Time for which a cut-over held writers back; `notYet` let them go without a switch',
    'worker',
    { labels: ['outcome'], buckets: HOLD_SECONDS },
  ),
  heldBackSeconds: histogram(
    'reembed_write_held_back_seconds',
    'Time for which writes were held back by a cut-over, of those that were',
    'worker',
    { buckets: HOLD_SECONDS },
  ),
  vectorIndexSeconds: histogram('reembed_vector_index_build_seconds', 'Time to build an HNSW index', 'worker', {
    buckets: BUILD_SECONDS,
  }),
  lockRenewals: counter(
    'reembed_lock_renewals_total',
    'Renewals of reindex locks: `renewed`, `lost` to someone else, or `failed`',
    'worker',
    ['outcome'],
  ),
  tombstonesRemoved: counter('reembed_tombstones_removed_total', 'Tombstones removed after their retention', 'worker'),

  modelCalls: counter(
    'reembed_model_calls_total',
    'Calls of embedding models, by outcome: `ok` or the type of the error; `ModelRateLimited` is a 429 of the provider',
    'process',
    ['provider', 'model', 'outcome'],
  ),
  modelCallSeconds: histogram('reembed_model_call_duration_seconds', 'Time of calls of embedding models', 'process', {
    labels: ['provider', 'model'],
    buckets: CALL_SECONDS,
  }),
  modelTexts: counter('reembed_model_texts_total', 'Texts that embedding models made vectors of', 'process', [
    'provider',
    'model',
  ]),
  modelWaitSeconds: counter(
    'reembed_model_wait_seconds_total',
    'Time that calls were held back for the limits of their model, or because the provider asked for a pause',
    'process',
    ['provider', 'model'],
  ),
  databaseConnections: gauge(
    'reembed_database_connections',
    'Connections of this process to Postgres, by state (`used`, `idle`), for `live` work or for that in the `background`',
    'process',
    ['pool', 'state'],
  ),
  databaseConnectionsMax: gauge(
    'reembed_database_connections_max',
    'Connections that this process may hold open to Postgres',
    'process',
    ['pool'],
  ),
  databaseWaiting: gauge(
    'reembed_database_connections_waiting',
    'Statements and transactions that wait for a connection to Postgres',
    'process',
    ['pool'],
  ),
  build: gauge('reembed_build_info', '1, with the version of this process', 'process', ['version']),

  openTasks: gauge('reembed_tasks_open', 'Tasks that have not ended, by type and status', 'state', ['type', 'status']),
  lockAge: gauge(
    'reembed_lock_age_seconds',
    'Age of each reindex lock; the kind is `reindex`, or `mirror` for a retired index that is kept current',
    'state',
    ['source', 'dest', 'kind'],
  ),
  lockExpiry: gauge(
    'reembed_lock_expires_in_seconds',
    'Time until a reindex lock expires, negative once it has; workers renew it every third of its length',
    'state',
    ['source', 'dest', 'kind'],
  ),
  lockDraining: gauge('reembed_lock_draining', '1 while writers to the source are held back for a cut-over', 'state', [
    'source',
    'dest',
  ]),
  reindexRemaining: gauge(
    'reembed_reindex_remaining_objects',
    'Objects that a running reindex has not copied yet, as it last told, which is every five seconds',
    'state',
    ['source', 'dest'],
  ),
  queueBacklog: gauge('reembed_task_queue_backlog', 'Work that waits for a worker, about', 'state', ['queue', 'kind']),
  queueBacklogAge: gauge(
    'reembed_task_queue_backlog_age_seconds',
    'Age of what has waited longest for a worker, about',
    'state',
    ['queue', 'kind'],
  ),
  queuePollers: gauge(
    'reembed_task_queue_pollers',
    'Workers that have asked for work in the last two minutes',
    'state',
    ['queue', 'kind'],
  ),
  schedules: gauge('reembed_schedules', 'Schedules of jobs, of the first 100', 'state', ['state']),
  schedulesMissed: gauge(
    'reembed_schedule_missed_runs',
    'Runs that schedules have missed since they were made, because Temporal was away for longer than they catch up',
    'state',
  ),
  schedulesLate: gauge('reembed_schedule_late_seconds', 'By how much the most overdue schedule is late', 'state'),
  tombstones: gauge('reembed_tombstones', 'Tombstones that are kept, counted up to 100,000', 'state'),
  scrapeError: gauge(
    'reembed_scrape_error',
    '1 when the state of `postgres` or `temporal` could not be read: its metrics are missing then',
    'state',
    ['source'],
  ),
  scrapeSeconds: gauge('reembed_scrape_duration_seconds', 'Time that reading the state took', 'state', ['source']),
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof METRICS;
