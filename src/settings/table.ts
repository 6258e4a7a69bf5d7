import { z } from 'zod';
import { type ApiToken, apiTokenOf, TOKEN_FORM } from '../contract/api-tokens.ts';
import { modelBudgetsSchema } from '../contract/budget.ts';
import { databaseNameSchema } from '../contract/databases.ts';
import { LIMITS } from '../contract/limits.ts';
import { MODEL_KEY_FORM, modelKeysSchema } from '../contract/model-keys.ts';
import { modelLimitsSchema } from '../contract/model-limits.ts';
import { modelPricesSchema } from '../contract/model-prices.ts';
import { type EncryptionKey, encryptionKeyOf, KEY_FORM } from '../temporal/encryption/keys.ts';
import { optional, setting } from './spec.ts';
import {
  address,
  folder,
  hosts,
  jsonText,
  LOG_LEVELS,
  list,
  listenAddress,
  namedDatabases,
  origins,
  sourceVariable,
  text,
  truth,
  whole,
} from './values.ts';

/**
 * Every setting of reembed, as data: the schema that reads the environment, `reembed config` and the documentation are
 * made from this table.
 */
export const SETTINGS = {
  databaseUrl: optional('DATABASE_URL', z.string().regex(/^postgres(ql)?:\/\/./), {
    meaning:
      'Postgres with pgvector that stores the indexes; without it `dev` uses an embedded database in the data directory',
    expected: 'a postgres:// address',
    secret: true,
  }),
  databases: setting('REEMBED_DATABASES', namedDatabases, '', {
    meaning:
      'further databases on which indexes can be placed, each with the variable that has its address; all processes need the same value, and these variables',
    expected: 'NAME=VARIABLE separated by commas, each name once and not main, for instance east=EAST_DATABASE',
  }),
  workerDatabases: setting('REEMBED_WORKER_DATABASES', list.pipe(z.array(databaseNameSchema)), '', {
    meaning: 'databases that a worker serves: main and names of REEMBED_DATABASES; if empty, all',
    expected: 'names of databases separated by commas',
  }),
  host: setting('REEMBED_HOST', z.string().regex(/^[\w.:-]+$/), '127.0.0.1', {
    meaning: 'address the API listens on; any address other than loopback requires API tokens',
    expected: 'a host name or an IP address',
  }),
  port: setting('REEMBED_PORT', whole(0, 65_535), '7400', {
    meaning: 'port of the API; 0 picks a free port',
    expected: 'a port number from 0 to 65535',
  }),
  apiTokens: setting(
    'REEMBED_API_TOKENS',
    list
      .transform((written) => written.map(apiTokenOf))
      .pipe(z.array(z.custom<ApiToken>((token) => token !== undefined))),
    '',
    {
      meaning:
        'bearer tokens that the API accepts, each with a name for the audit log and a role; without any token here or in REEMBED_API_TOKENS_FILE, everyone who can reach the API has all rights',
      expected: `${TOKEN_FORM}; separated by commas`,
      secret: true,
    },
  ),
  apiTokensFile: optional('REEMBED_API_TOKENS_FILE', text, {
    meaning: 'file with more tokens, one per line in the same form; read again when it changes',
    expected: 'the path of a file',
  }),
  requestsPerMinute: setting('REEMBED_REQUESTS_PER_MINUTE', whole(0, 10_000_000), '0', {
    meaning: 'requests that one token may send to one API process per minute; 0 means no limit',
    expected: 'a whole number from 0 to 10000000',
  }),
  concurrentRequests: setting('REEMBED_CONCURRENT_REQUESTS', whole(0, 1_000_000), '1000', {
    meaning: 'concurrent requests of one token to one API process; 0 means no limit',
    expected: 'a whole number from 0 to 1000000',
  }),
  eventStreams: setting('REEMBED_EVENT_STREAMS', whole(0, 1_000_000), '1000', {
    meaning: 'event streams that one token may have open on one API process; 0 means no limit',
    expected: 'a whole number from 0 to 1000000',
  }),
  bodyMb: setting('REEMBED_BODY_MB', whole(1, 1_024), '32', {
    meaning: 'maximum size of a request body, in MB; NDJSON is read line by line and has no limit',
    expected: 'a whole number from 1 to 1024',
  }),
  allowedHosts: setting('REEMBED_ALLOWED_HOSTS', hosts, '', {
    meaning:
      'host names that the API accepts, such as that of a proxy in front; without tokens it accepts only these, REEMBED_HOST and loopback names; with tokens it accepts any name, unless this is set; worker metrics accept these names too',
    expected: 'host names or IP addresses without a port, separated by commas',
  }),
  corsOrigins: setting('REEMBED_CORS_ORIGINS', origins, '', {
    meaning: 'origins whose pages may call the API from a browser; if empty, only its own',
    expected: 'addresses like https://host:port, without a path, separated by commas',
  }),
  codecOrigins: setting('REEMBED_CODEC_ORIGINS', origins, '', {
    meaning: "origins whose pages may call the codec endpoint, such as that of Temporal's UI",
    expected: 'addresses like https://host:port, without a path, separated by commas',
  }),
  encryptionKeys: setting(
    'REEMBED_ENCRYPTION_KEYS',
    list
      .transform((written) => written.map(encryptionKeyOf))
      .pipe(z.array(z.custom<EncryptionKey>((key) => key !== undefined))),
    '',
    {
      meaning:
        'keys for the task data that Temporal stores: the first encrypts, all decrypt; the API and all workers need the same keys',
      expected: `${KEY_FORM}; separated by commas`,
      secret: true,
    },
  ),
  encryptionKeysFile: optional('REEMBED_ENCRYPTION_KEYS_FILE', text, {
    meaning: 'file with more keys, one per line in the same form',
    expected: 'the path of a file',
  }),
  dataDir: setting('REEMBED_DATA_DIR', folder, '.reembed', {
    meaning: 'folder in which `dev` stores all data',
    expected: 'the path of a folder',
  }),
  taskQueue: setting('REEMBED_TASK_QUEUE', z.string().regex(/^[\w.:/-]{1,200}$/), 'reembed', {
    meaning: 'Temporal task queue of workflows; embedding has its own, with the suffix "-embed"',
    expected: 'letters, digits and any of . : / - _',
  }),
  buildId: optional('REEMBED_BUILD_ID', z.string().regex(/^[\w.+-]{1,200}$/), {
    meaning:
      'build of the workers, for instance their image tag; Temporal then routes each task to the current version; `dev` ignores it',
    expected: 'letters, digits and any of . _ + -',
  }),
  deploymentName: optional('REEMBED_DEPLOYMENT_NAME', z.string().regex(/^[\w/-]{1,200}$/), {
    meaning: 'Temporal worker deployment that REEMBED_BUILD_ID is a version of; default: REEMBED_TASK_QUEUE',
    expected: 'letters, digits and any of / - _',
  }),
  logLevel: setting('REEMBED_LOG_LEVEL', z.string().toLowerCase().pipe(z.enum(LOG_LEVELS)), 'info', {
    meaning: 'minimum level of logged messages',
    expected: `one of ${LOG_LEVELS.join(', ')}`,
  }),
  tokenizerDir: optional('REEMBED_TOKENIZER_DIR', folder, {
    meaning:
      'folder with the tokenizers that indexes name: `NAME.json` or `NAME/tokenizer.json`, each the tokenizer.json of a model; the API and all workers need the same files',
    expected: 'the path of a folder',
  }),
  fileRoots: setting('REEMBED_FILE_ROOTS', list, '', {
    meaning: 'folders from which file: URIs may be loaded; if empty, no files',
    expected: 'paths of folders separated by commas',
  }),
  allowPrivateAddresses: setting('REEMBED_ALLOW_PRIVATE_ADDRESSES', truth, 'false', {
    meaning: 'whether URIs may be loaded from addresses outside the public internet',
    expected: 'true or false',
  }),
  searchSeconds: setting('REEMBED_SEARCH_SECONDS', whole(1, LIMITS.searchSeconds), '10', {
    meaning: 'default timeout of one search, including the model call, in seconds',
    expected: `a whole number of seconds from 1 to ${LIMITS.searchSeconds}`,
  }),
  objectHistory: setting('REEMBED_OBJECT_HISTORY', truth, 'true', {
    meaning: 'whether workers keep a history of each object: its last 50 writes, copies, failures and deletions',
    expected: 'true or false',
  }),
  loadTimeoutSeconds: setting('REEMBED_LOAD_TIMEOUT_SECONDS', whole(1, 3_600), '30', {
    meaning: 'timeout for loading one payload, in seconds',
    expected: 'a whole number of seconds from 1 to 3600',
  }),
  maxConcurrentReindexes: setting('REEMBED_MAX_CONCURRENT_REINDEXES', whole(1, 1_000), '2', {
    meaning: 'reindexes that may run concurrently; others wait',
    expected: 'a whole number from 1 to 1000',
  }),
  indexMemoryMb: setting('REEMBED_INDEX_MEMORY_MB', whole(1, 1_000_000), '256', {
    meaning: 'Postgres memory for building one HNSW index, in MB',
    expected: 'a whole number from 1 to 1000000',
  }),
  vectorIndexAfterParts: setting('REEMBED_VECTOR_INDEX_AFTER_PARTS', whole(0, 100_000_000), '5000', {
    meaning: 'number of vectors at which an index filled by upserts gets its HNSW index',
    expected: 'a whole number from 0 to 100000000',
  }),
  tombstoneRetention: setting('REEMBED_TOMBSTONE_RETENTION', z.string().regex(/^\d+(\.\d+)?\s*(s|m|h|d)$/), '7d', {
    meaning: 'how long a deleted object is remembered, so that an older write cannot restore it',
    expected: 'a number with s, m, h or d, for instance 7d',
  }),
  databaseConnections: setting('REEMBED_DATABASE_CONNECTIONS', whole(1, 1_000), '20', {
    meaning: 'maximum connections of one process to DATABASE_URL',
    expected: 'a whole number from 1 to 1000',
  }),
  embedConcurrency: setting('REEMBED_EMBED_CONCURRENCY', whole(1, 1_000), '16', {
    meaning: 'activities of the embed queue that one worker runs concurrently',
    expected: 'a whole number from 1 to 1000',
  }),
  copySharePercent: setting('REEMBED_COPY_SHARE_PERCENT', whole(1, 100), '25', {
    meaning:
      'percentage of its time that each worker may spend on reindexes, evaluations and audits while there are searches and writes; 100 never yields to them',
    expected: 'a whole number from 1 to 100',
  }),
  modelKeys: setting('REEMBED_MODEL_KEYS', list.pipe(modelKeysSchema), '', {
    meaning:
      'hosts to which each model key may be sent, by the name of its environment variable; keys of well-known providers are bound to their hosts unless listed here; responses of listed hosts are shown in errors; the API and all workers need the same value',
    expected: MODEL_KEY_FORM,
  }),
  modelLimits: setting('REEMBED_MODEL_LIMITS', jsonText.pipe(modelLimitsSchema), '{}', {
    meaning:
      'provider rate limits per minute for each model, shared by all processes, as JSON: {"openai/NAME": {"requestsPerMinute": 3000, "tokensPerMinute": 1000000}}',
    expected:
      'JSON with requestsPerMinute, tokensPerMinute or both for each PROVIDER/NAME of a called or custom model, for instance {"openai/bge-m3": {"requestsPerMinute": 600}}',
  }),
  modelPrices: setting('REEMBED_MODEL_PRICES', jsonText.pipe(modelPricesSchema), '{}', {
    meaning:
      'prices of models in US dollars per million tokens, as JSON: {"openai/NAME": 0.02}; they override the list prices of well-known models; the API and all workers need the same value',
    expected:
      'JSON with a price of at least 0 for each PROVIDER/NAME of a called or custom model, for instance {"openai/bge-m3": 0.01}',
  }),
  modelBudgets: setting('REEMBED_MODEL_BUDGETS', jsonText.pipe(modelBudgetsSchema), '{}', {
    meaning:
      'what all reindexes together may use of a model per day (UTC), as JSON: {"openai/NAME": {"usd": 20, "tokens": 5000000, "calls": 100000}}; a reindex pauses when it is used up, and live writes continue',
    expected:
      'JSON with usd, tokens or calls above 0 for each PROVIDER/NAME of a called or custom model, for instance {"openai/bge-m3": {"tokens": 1000000}}',
  }),
  batchApiTexts: setting('REEMBED_BATCH_API_TEXTS', whole(1, 50_000), '50000', {
    meaning:
      "maximum texts of one job of a provider's interface for batches (`batchApi`); fewer if the provider allows your account few waiting tokens",
    expected: 'a whole number from 1 to 50000',
  }),
  sourceConnections: setting('REEMBED_SOURCE_CONNECTIONS', list.pipe(z.array(sourceVariable)), '', {
    meaning:
      'environment variables with addresses of other databases whose tables sources may follow; the API and all workers need the same value, and these variables',
    expected: 'names of variables that are not settings, separated by commas, for instance SHOP_DATABASE',
  }),
  sourceMaxChanges: setting('REEMBED_SOURCE_MAX_CHANGES', whole(1_000, 1_000_000_000), '5000000', {
    meaning:
      'changes of a source that may wait to be synced; when there are more, its triggers are removed and it stops, so that the disk does not fill up; the API and all workers need the same value',
    expected: 'a whole number from 1000 to 1000000000',
  }),
  tasks: setting('REEMBED_TASKS', list, '', {
    meaning: 'modules, or folders of modules, that define jobs for the workers',
    expected: 'paths separated by commas',
  }),
  jobConcurrency: setting('REEMBED_JOB_CONCURRENCY', whole(1, 10_000), '16', {
    meaning: 'jobs of one queue that one worker runs concurrently',
    expected: 'a whole number from 1 to 10000',
  }),
  shutdownSeconds: setting('REEMBED_SHUTDOWN_SECONDS', whole(0, 3_600), '20', {
    meaning: 'how long running activities and requests may continue after shutdown begins',
    expected: 'a whole number of seconds from 0 to 3600',
  }),
  drainSeconds: setting('REEMBED_DRAIN_SECONDS', whole(0, 600), '0', {
    meaning:
      'how long the API continues to serve after shutdown begins, while /readyz tells load balancers to use other instances',
    expected: 'a whole number of seconds from 0 to 600',
  }),
  workerMetricsAddress: optional('REEMBED_WORKER_METRICS_ADDRESS', listenAddress, {
    meaning:
      'address at which a worker process serves metrics, without a token; a port alone means 127.0.0.1; default: no metrics',
    expected: 'a port, or host:port',
  }),
  cacheDir: optional('REEMBED_CACHE_DIR', folder, {
    meaning: 'folder for downloaded servers, instead of the usual cache folder',
    expected: 'the path of a folder',
  }),
  temporalCliPath: optional('TEMPORAL_CLI_PATH', text, {
    meaning: 'Temporal CLI for `dev`, instead of the one on PATH or a downloaded one',
    expected: 'the path of an executable file',
  }),
  temporalTestServerPath: optional('TEMPORAL_TEST_SERVER_PATH', text, {
    meaning: "Temporal's time-skipping test server, instead of the one on PATH or a downloaded one",
    expected: 'the path of an executable file',
  }),
  temporalUiUrl: optional('REEMBED_TEMPORAL_UI_URL', address, {
    meaning: "address of Temporal's web UI, for the dashboard's links; `dev` uses its own",
    expected: 'an http:// or https:// address',
  }),
  url: optional('REEMBED_URL', address, {
    meaning: 'API that the command line calls; default: http://127.0.0.1:REEMBED_PORT',
    expected: 'an http:// or https:// address',
  }),
  token: optional('REEMBED_TOKEN', z.string().regex(/^[\x21-\x7e]+$/), {
    meaning: 'bearer token that the command line sends',
    expected: 'visible ASCII characters',
    secret: true,
  }),
} as const;

export type SettingName = keyof typeof SETTINGS;

/** Variables that `@temporalio/envconfig` reads, for `reembed config` and the documentation. */
export const TEMPORAL_VARIABLES: Readonly<Record<string, { meaning: string; secret?: boolean }>> = {
  TEMPORAL_ADDRESS: { meaning: 'host:port of the Temporal server; without it `dev` starts its own' },
  TEMPORAL_NAMESPACE: { meaning: 'namespace on the Temporal server' },
  TEMPORAL_API_KEY: { meaning: 'API key for the Temporal server; enables TLS', secret: true },
  TEMPORAL_PROFILE: { meaning: "profile in Temporal's configuration file" },
  TEMPORAL_CONFIG_FILE: {
    meaning: "Temporal's configuration file, instead of the one in the user's configuration folder",
  },
  TEMPORAL_TLS: { meaning: 'whether the connection to the Temporal server is encrypted' },
  TEMPORAL_TLS_CLIENT_CERT_PATH: { meaning: 'file with the client certificate' },
  TEMPORAL_TLS_CLIENT_CERT_DATA: { meaning: 'the client certificate itself' },
  TEMPORAL_TLS_CLIENT_KEY_PATH: { meaning: 'file with the key of the client certificate' },
  TEMPORAL_TLS_CLIENT_KEY_DATA: { meaning: 'the key of the client certificate itself', secret: true },
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: { meaning: 'file with the CA certificate that signed the server certificate' },
  TEMPORAL_TLS_SERVER_CA_CERT_DATA: { meaning: 'the CA certificate itself' },
  TEMPORAL_TLS_SERVER_NAME: { meaning: 'name that the server certificate must have' },
};
