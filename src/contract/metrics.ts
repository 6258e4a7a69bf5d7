/**
 * Every metric of reembed, as data: the registries, the tables in docs/operate.md, and the check of the alert rules and
 * dashboard under deploy/observability are made from it. Names follow the conventions of Prometheus. Labels have few
 * values: never ids of objects or tasks, and names of locked indexes only.
 */
export interface MetricSpec {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: readonly string[];
  /** Upper bounds of a histogram. */
  buckets?: readonly number[];
  /**
   * Source: the HTTP API, the workers, whichever of the two a process runs, or the state of Postgres and
   * Temporal, which every API process reads at each scrape.
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

/** Buckets for API responses and model calls. */
const CALL_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Buckets from a single write to a reindex that takes days. */
const TASK_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 28_800, 86_400, 259_200];
const HOLD_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30];
const BUILD_SECONDS = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400];

export const METRICS = {
  httpRequests: counter('reembed_http_requests_total', 'HTTP requests answered', 'api', ['method', 'route', 'status']),
  httpRequestSeconds: histogram('reembed_http_request_duration_seconds', 'Time until the response started', 'api', {
    labels: ['method', 'route', 'status'],
    buckets: CALL_SECONDS,
  }),
  httpInFlight: gauge('reembed_http_requests_in_flight', 'HTTP requests whose response has not started', 'api'),
  httpStreams: gauge('reembed_http_event_streams', 'Open streams of server-sent events', 'api'),
  httpRateLimited: counter(
    'reembed_http_rate_limited_total',
    'HTTP requests refused with 429 by an API limit: `rate`, concurrent `requests`, or `streams`',
    'api',
    ['limit'],
  ),
  reads: counter(
    'reembed_reads_total',
    'Searches on the other index of a `shadow` or a `canary`: `answered`, `failed`, `dropped` because too many were waiting, or `skipped` because its model does not fit the vector',
    'api',
    ['kind', 'outcome'],
  ),
  readSeconds: histogram(
    'reembed_read_duration_seconds',
    'Duration of searches while there is a `shadow` or a `canary`, on the `serving` or the `other` index',
    'api',
    { labels: ['kind', 'side'], buckets: CALL_SECONDS },
  ),
  sampledSearches: counter(
    'reembed_sampled_searches_total',
    'Searches by an alias that were chosen to be sampled: `stored`, `dropped` because too many were waiting, `failed` because the database did not take them, or `skipped` because their text is too long or cannot be stored',
    'api',
    ['outcome'],
  ),
  shadowOverlap: histogram(
    'reembed_shadow_overlap',
    'Share of the hits that both indexes return for a search with a shadow',
    'api',
    { buckets: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1] },
  ),

  tasksFinished: counter('reembed_tasks_finished_total', 'Tasks that ended, by final status', 'worker', [
    'type',
    'status',
  ]),
  taskSeconds: histogram('reembed_task_duration_seconds', 'Time from the creation of a task to its end', 'worker', {
    labels: ['type', 'status'],
    buckets: TASK_SECONDS,
  }),
  taskAttempts: counter('reembed_task_attempts_total', 'Task attempts started', 'worker', ['type']),
  taskFailures: counter(
    'reembed_task_attempt_failures_total',
    'Task attempts that failed, by error type; `other` for errors thrown by jobs',
    'worker',
    ['type', 'error'],
  ),
  itemsWritten: counter(
    'reembed_items_total',
    'Items processed by upserts and deletes: `embedded` (for deletes `deleted`), `unchanged`, `stale` or `failed`',
    'worker',
    ['operation', 'outcome'],
  ),
  objectsCopied: counter(
    'reembed_objects_copied_total',
    'Objects copied into a new index by a `slice`, `forward` or `reconcile`: `copied`, `tombstone` or `failed`',
    'worker',
    ['by', 'outcome'],
  ),
  itemsFailed: counter(
    'reembed_failed_items_total',
    'Items and copied objects put on a failed list, by failed stage and reason; each retry counts again',
    'worker',
    ['stage', 'reason'],
  ),
  drainSeconds: histogram(
    'reembed_cut_over_drain_seconds',
    'Time for which a cut-over blocked writers; `notYet` released them without a switch',
    'worker',
    { labels: ['outcome'], buckets: HOLD_SECONDS },
  ),
  rollBacks: counter(
    'reembed_roll_backs_total',
    'Roll backs and forward of reindexes: `done`, or `notCurrent` if something would have been lost',
    'worker',
    ['outcome'],
  ),
  heldBackSeconds: histogram(
    'reembed_write_held_back_seconds',
    'Time for which a cut-over blocked a write; only blocked writes are counted',
    'worker',
    { buckets: HOLD_SECONDS },
  ),
  vectorIndexSeconds: histogram('reembed_vector_index_build_seconds', 'Time to build an HNSW index', 'worker', {
    buckets: BUILD_SECONDS,
  }),
  lockRenewals: counter(
    'reembed_lock_renewals_total',
    'Renewals of reindex locks: `renewed`, `lost` to another holder, or `failed`',
    'worker',
    ['outcome'],
  ),
  tombstonesRemoved: counter('reembed_tombstones_removed_total', 'Tombstones removed after their retention', 'worker'),

  modelCalls: counter(
    'reembed_model_calls_total',
    'Calls to embedding models, by outcome: `ok`, `truncated` if the model answered without reading all of a text, or the error type; `ModelRateLimited` is a 429 from the provider',
    'process',
    ['provider', 'model', 'outcome'],
  ),
  modelCallSeconds: histogram(
    'reembed_model_call_duration_seconds',
    'Duration of calls to embedding models',
    'process',
    {
      labels: ['provider', 'model'],
      buckets: CALL_SECONDS,
    },
  ),
  modelTexts: counter('reembed_model_texts_total', 'Texts embedded by models', 'process', ['provider', 'model']),
  modelTokens: counter(
    'reembed_model_tokens_total',
    'Tokens that models have used, as `provider` counts them, or by an `estimate` where it does not say',
    'process',
    ['provider', 'model', 'counted'],
  ),
  modelUsd: counter(
    'reembed_model_usd_total',
    'US dollars that models have cost, where their price is known',
    'process',
    ['provider', 'model'],
  ),
  modelWaitSeconds: counter(
    'reembed_model_wait_seconds_total',
    'Time that calls waited for the limits of their model, or because the provider asked for a pause',
    'process',
    ['provider', 'model'],
  ),
  databaseConnections: gauge(
    'reembed_database_connections',
    'Postgres connections of this process, by state (`used`, `idle`) and pool (`live` or `background` work)',
    'process',
    ['pool', 'state'],
  ),
  databaseConnectionsMax: gauge(
    'reembed_database_connections_max',
    'Maximum Postgres connections of this process',
    'process',
    ['pool'],
  ),
  databaseWaiting: gauge(
    'reembed_database_connections_waiting',
    'Statements and transactions waiting for a Postgres connection',
    'process',
    ['pool'],
  ),
  build: gauge('reembed_build_info', 'Always 1; the label is the version of this process', 'process', ['version']),

  openTasks: gauge('reembed_tasks_open', 'Tasks that have not ended, by type and status', 'state', ['type', 'status']),
  lockAge: gauge(
    'reembed_lock_age_seconds',
    'Age of each reindex lock; the kind is `reindex`, or `mirror` for a retired index that is kept current',
    'state',
    ['source', 'dest', 'kind'],
  ),
  lockExpiry: gauge(
    'reembed_lock_expires_in_seconds',
    'Time until a reindex lock expires, negative once expired; workers renew it after a third of its duration',
    'state',
    ['source', 'dest', 'kind'],
  ),
  lockDraining: gauge('reembed_lock_draining', '1 while a cut-over blocks writers to the source', 'state', [
    'source',
    'dest',
  ]),
  reindexRemaining: gauge(
    'reembed_reindex_remaining_objects',
    'Objects that a running reindex has not copied yet; reported every five seconds',
    'state',
    ['source', 'dest'],
  ),
  queueBacklog: gauge('reembed_task_queue_backlog', 'Approximate number of tasks waiting for a worker', 'state', [
    'queue',
    'kind',
  ]),
  queueBacklogAge: gauge(
    'reembed_task_queue_backlog_age_seconds',
    'Approximate age of the oldest task waiting for a worker',
    'state',
    ['queue', 'kind'],
  ),
  queuePollers: gauge('reembed_task_queue_pollers', 'Workers that polled for work in the last two minutes', 'state', [
    'queue',
    'kind',
  ]),
  schedules: gauge('reembed_schedules', 'Job schedules, among the first 100', 'state', ['state']),
  schedulesMissed: gauge(
    'reembed_schedule_missed_runs',
    'Runs that schedules have missed because Temporal was unavailable for longer than their `catchUp`',
    'state',
  ),
  schedulesLate: gauge('reembed_schedule_late_seconds', 'Delay of the most overdue schedule', 'state'),
  sourceBacklog: gauge(
    'reembed_source_backlog',
    'Changes of a followed table that are not in the index yet; an estimate above 100,000',
    'state',
    ['source'],
  ),
  sourceBacklogAge: gauge(
    'reembed_source_backlog_age_seconds',
    'Age of the oldest change of a followed table that is not in the index yet',
    'state',
    ['source'],
  ),
  sourceState: gauge('reembed_source_state', '1 for the state of a source', 'state', ['source', 'state']),
  tombstones: gauge('reembed_tombstones', 'Stored tombstones, counted up to 100,000', 'state'),
  scrapeError: gauge(
    'reembed_scrape_error',
    '1 when the state of `postgres`, `sources` or `temporal` could not be read; its metrics are then missing',
    'state',
    ['source'],
  ),
  scrapeSeconds: gauge('reembed_scrape_duration_seconds', 'Time taken to read the state', 'state', ['source']),
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof METRICS;
